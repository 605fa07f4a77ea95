"""The modules that `make test-fast` skips besides those that start processes.

Each takes two seconds of CPU or more: whole clients and their pictures, random sequences, every
order of commits. The rest takes less than 40 s.
"""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent.parent
LONG = {
    "api": ["test_bad_input", "test_declared_answers", "test_fuzzed_routes"],
    "api_page": ["test_page"],
    "bench_check": ["test_benchmarks_run"],
    "failures": ["test_announced", "test_outage", "test_positions"],
    "model": ["test_model"],
    "network": ["test_abuse", "test_slow_line"],
    "providers": [
        "test_changed_streams",
        "test_faults",
        "test_known_servers",
        "test_named_failures",
        "test_proxies",
        "test_tolerant_reading",
    ],
    "server": ["test_under_stress"],
    "simulator": ["test_scenarios"],
    "store": [
        "test_ablations",
        "test_interleavings",
        "test_interrupted_migrations",
        "test_matrix_walk",
    ],
    "stream": ["test_disturbed", "test_resume", "test_slow_among_many"],
    "tui": [
        "test_anchors",
        "test_archive",
        "test_background_layout",
        "test_bursts",
        "test_calls",
        "test_client",
        "test_documents",
        "test_edits",
        "test_end_to_end",
        "test_error_containment",
        "test_fields",
        "test_first_run",
        "test_folds",
        "test_gone_on",
        "test_growing_calls",
        "test_hostile",
        "test_key_queue",
        "test_keys",
        "test_layout_commonmark",
        "test_layout_corpus",
        "test_layout_source",
        "test_lazy_layout",
        "test_list_and_history",
        "test_list_search",
        "test_list_search_races",
        "test_local_store",
        "test_notices",
        "test_open_block",
        "test_pictures",
        "test_queue",
        "test_refused_edits",
        "test_remote_pictures",
        "test_repaints",
        "test_same_words",
        "test_scroll_position",
        "test_search",
        "test_search_work",
        "test_selection",
        "test_selection_places",
        "test_servers",
        "test_sheet",
        "test_slash_commands",
        "test_snapshots",
        "test_thoughts",
        "test_viewport",
        "test_visible",
        "test_window",
    ],
    "worker": ["test_causes", "test_lost_hints", "test_runner", "test_stops"],
}
FILES = {TESTS / folder / f"{name}.py" for folder, names in LONG.items() for name in names}
