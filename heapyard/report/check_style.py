"""The look of the page of rules by targets: on a wide screen a matrix, on a narrow one a list."""

from heapyard.report.heap_svg import HEAP_STYLE
from heapyard.report.memory_svg import MEMORY_STYLE

__all__ = ["CHECK_STYLE"]

CHECK_STYLE = f"""\
body {{ max-width: 92rem; }} main {{ overflow-x: clip; }}
code, pre {{ font: 13px/1.5 ui-monospace, monospace; }}
pre {{ overflow-x: auto; background: var(--soft); padding: .7rem .9rem; border-radius: 6px;
  margin: .4rem 0; }}
pre mark {{ background: var(--bad-soft); color: var(--bad); font-weight: 600; }}
a {{ color: var(--bar); }}
.answer {{ font-size: 1.05rem; color: var(--ink); }}
.answer b {{ color: var(--bad); }} .answer b.good {{ color: var(--good); }}
.targets th, .targets td {{ text-align: left; }} .targets {{ width: auto; }}
.index {{ list-style: none; padding: 0; columns: 30rem; }}
.index li {{ break-inside: avoid; padding: .15rem 0; }}
.index small {{ color: var(--dim); }}
.filter {{ display: flex; flex-wrap: wrap; gap: .4rem; margin: 1.5rem 0 .5rem;
  align-items: center; }}
.pick {{ position: absolute; opacity: 0; }}
.filter label {{ border: 1px solid var(--line); border-radius: 99px; padding: .2rem .8rem;
  cursor: pointer; }}
#f-all:checked ~ .filter [for=f-all], #f-bad:checked ~ .filter [for=f-bad],
#f-differ:checked ~ .filter [for=f-differ], #f-figure:checked ~ .filter [for=f-figure]
  {{ background: var(--bar); border-color: var(--bar); color: var(--paper); }}
.pick:focus-visible ~ .filter {{ outline: 2px solid var(--bar); outline-offset: 3px; }}
#f-bad:checked ~ main .rule:not(.bad-row), #f-differ:checked ~ main .rule:not(.differ),
#f-figure:checked ~ main .rule:not(.figure) {{ display: none; }}
#f-bad:checked ~ main .group:not(:has(.bad-row)),
#f-differ:checked ~ main .group:not(:has(.differ)),
#f-figure:checked ~ main .group:not(:has(.figure)) {{ display: none; }}
.group > h3 {{ font-size: .95rem; margin: 1.4rem 0 .2rem; letter-spacing: .04em; }}
.heads, .rule > summary {{ display: grid; align-items: center; gap: 2px .25rem;
  grid-template-columns: 9.2rem 4rem minmax(10rem, 1fr)
    repeat(var(--n), var(--cell)); }}
.heads {{ position: sticky; top: 0; background: var(--paper); z-index: 1; font-weight: 600;
  padding: .35rem 0; border-bottom: 2px solid var(--line); font-size: .85rem; }}
.heads span {{ text-align: center; overflow: hidden; text-overflow: ellipsis; }}
.heads span:first-child {{ text-align: left; grid-column: 1 / 4; }}
.rule {{ border-bottom: 1px solid var(--line); }}
.rule > summary {{ cursor: pointer; padding: .16rem 0; list-style: none; }}
.rule > summary::-webkit-details-marker {{ display: none; }}
.rule > summary:hover {{ background: var(--soft); }}
.id::before {{ content: "\\25B8\\00A0"; color: var(--dim); }}
.rule[open] .id::before {{ content: "\\25BE\\00A0"; }}
.id {{ font: 13px ui-monospace, monospace; white-space: nowrap; }}
.level {{ font-size: .75rem; color: var(--dim); }}
.title {{ overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
.rule[open] .title {{ white-space: normal; }}
.cell {{ text-align: center; border-radius: 4px; padding: .05rem .1rem; font-size: .85rem;
  font-variant-numeric: tabular-nums; line-height: 1.25; }}
.figures {{ width: auto; font-size: .85rem; }}
.cell.ok {{ color: var(--good); }} .cell.na {{ color: var(--dim); }}
.cell.bad {{ background: var(--bad); color: var(--paper); font-weight: 700; }}
.cell.warn {{ background: var(--warn-soft); color: var(--warn); font-weight: 600;
  box-shadow: inset 0 0 0 1px var(--warn); }}
.cell.known {{ color: var(--dim); box-shadow: inset 0 0 0 1px var(--line); }}
.cell.best {{ background: var(--good-soft); color: var(--good); font-weight: 700; }}
.body {{ padding: .2rem 0 1.4rem 1.1rem; max-width: 58rem; scroll-margin-top: 4rem; }}
.body p {{ color: var(--ink); margin: .4rem 0; }} .body p.dim {{ color: var(--dim); }}
.case {{ border-left: 4px solid var(--bad); padding: .1rem 0 .1rem 1rem; margin: 1.1rem 0; }}
.case.should {{ border-color: var(--warn); }}
.case h4 {{ margin: 0 0 .3rem; overflow-wrap: anywhere; }}
.heap svg {{ min-width: 38rem; max-width: 45rem; }}
dl {{ display: grid; grid-template-columns: 6rem 1fr; gap: .15rem .8rem; margin: .3rem 0; }}
dt {{ color: var(--dim); }} dd {{ margin: 0; overflow-wrap: anywhere; }}
.case summary {{ cursor: pointer; color: var(--bar); padding: .15rem 0; }}
.memories {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr));
  gap: 0 1.2rem; }}
.memories figure {{ margin: .6rem 0; }}
figcaption {{ font-size: .85rem; }}
.hbar {{ display: inline-block; height: .7rem; background: var(--bar); border-radius: 2px;
  vertical-align: baseline; }} .bars td {{ border: 0; padding: .1rem .6rem; }}
.bars td:last-child {{ width: 55%; text-align: left; }}
{MEMORY_STYLE}
{HEAP_STYLE}
@media (max-width: 46rem) {{
  body {{ margin: 1rem auto; padding: 0 .7rem; }}
  .heads {{ display: none; }}
  .rule > summary {{ grid-template-columns: auto 1fr; padding: .45rem 0; }}
  .level {{ text-align: right; }} .title {{ grid-column: 1 / 3; white-space: normal; }}
  .cells {{ grid-column: 1 / 3; }}
  .cell {{ font-size: .8rem; }}
  .cell::before {{ content: attr(data-t) "\\00A0"; font-weight: 400; }}
  .body {{ padding-left: 0; }} dl {{ grid-template-columns: 1fr; }} dd {{ margin-bottom: .3rem; }}
}}
@media (min-width: 46.01rem) {{ .cells {{ display: contents; }} }}
@media (max-width: 46rem) {{ .cells {{ display: flex; flex-wrap: wrap; gap: .25rem; }} }}
@media print {{
  body {{ max-width: none; margin: 0; font-size: 11px; }} .filter {{ display: none; }}
  .heads {{ position: static; }} .rule, .case {{ break-inside: avoid; }}
  .cell.bad {{ border: 2px solid; }} * {{ print-color-adjust: exact; }}
}}"""
