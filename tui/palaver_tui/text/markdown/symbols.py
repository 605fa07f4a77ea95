r"""Short formulas as Unicode characters: `$\rightarrow$` is →, `$x^2$` is x².

Only a formula that is one symbol, or one name or number with a superscript or subscript number, and
nothing else. All others are shown as written.
"""

from __future__ import annotations

import re

_GREEK = (
    "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ iota ι kappa κ "
    "lambda λ mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ "
    "omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω"
)
_SIGNS = (
    "times × div ÷ pm ± mp ∓ cdot ⋅ le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈ equiv ≡ sim ∼ "
    "propto ∝ infty ∞ in ∈ notin ∉ subset ⊂ subseteq ⊆ cup ∪ cap ∩ emptyset ∅ forall ∀ exists ∃ "
    "neg ¬ lnot ¬ land ∧ wedge ∧ lor ∨ vee ∨ oplus ⊕ otimes ⊗ to → rightarrow → leftarrow ← "
    "leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ implies ⟹ iff ⟺ mapsto ↦ "
    "uparrow ↑ downarrow ↓ partial ∂ nabla ∇ sum ∑ prod ∏ int ∫ ell ℓ degree ° bullet ∙ star ⋆ "
    "checkmark ✓ ldots … dots … cdots ⋯ therefore ∴ because ∵ angle ∠ perp ⊥ parallel ∥ mid ∣"
)


def _pairs(words: str) -> dict[str, str]:
    listed = words.split()
    return dict(zip(listed[::2], listed[1::2], strict=True))


SYMBOLS = _pairs(_GREEK) | _pairs(_SIGNS)
_RAISED = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_LOWERED = str.maketrans("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋")

_MARKS = re.compile(r"\$([^$]+)\$|\\\((.+)\\\)")
_SYMBOL = re.compile(r"\\([A-Za-z]+)")
_RAISED_OR_LOWERED = re.compile(r"([A-Za-z]|\d+|\\[A-Za-z]+ ?)([\^_])(\d|\{[-+]?\d+\})")
_DEGREES = re.compile(r"(-?\d*(?:\.\d+)?)\^(?:\\circ|\{\\circ\})")


def as_unicode(formula: str) -> str:
    """Return a formula, given with its marks, in Unicode; "" if Unicode cannot express it."""
    marked = _MARKS.fullmatch(formula)
    if marked is None:
        return ""
    body = (marked[1] or marked[2]).strip()
    if found := _SYMBOL.fullmatch(body):
        return SYMBOLS.get(found[1], "")
    if found := _DEGREES.fullmatch(body):
        return f"{found[1]}°"
    if found := _RAISED_OR_LOWERED.fullmatch(body):
        name, where, number = found.groups()
        base = SYMBOLS.get(name[1:].strip(), "") if name.startswith("\\") else name
        shifted = number.strip("{}").translate(_RAISED if where == "^" else _LOWERED)
        return f"{base}{shifted}" if base else ""
    return ""
