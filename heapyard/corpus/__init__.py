"""The corpus: a small malloc with switchable defects, one for each way in which a rule can fail.

with TemporaryDirectory() as folder:
    library = compile_corpus(Path(folder))
    assert judge_defect(library, DEFECTS[0]).is_caught
"""

from heapyard.corpus.build import compile_corpus, export_sources
from heapyard.corpus.defects import DEFECTS, SOURCES, Defect
from heapyard.corpus.finding import Finding
from heapyard.corpus.judge import judge_defect
from heapyard.corpus.verdict import body_of, verdict

__all__ = [
    "DEFECTS",
    "SOURCES",
    "Defect",
    "Finding",
    "body_of",
    "compile_corpus",
    "export_sources",
    "judge_defect",
    "verdict",
]
