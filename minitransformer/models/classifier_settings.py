"""What makes an encoder a classifier: its labels, how it answers, what it has on top."""

from dataclasses import dataclass

from minitransformer.errors import UserError, printable

ANSWERS = {  # of each problem type
    "single_label_classification": "softmax",
    "multi_label_classification": "sigmoid",
    "regression": "identity",
}
PROBLEM_TYPES = tuple(ANSWERS)
CLASSIFIER_POOLINGS = ("pooler", "cls", "mean", "max")


@dataclass(frozen=True)
class ClassifierSettings:
    """What makes an encoder a classifier, except for its weights.

    labels          the names of the classes, or of the numbers in regression; one logit each
    problem_type    "single_label_classification": each text has one label
                    "multi_label_classification": each text has any number of labels
                    "regression": each label is a number to predict
    pooling         what the head sees of a text. "pooler": tanh(CLS W + b), as in the paper; "cls": the row of [CLS]
                    itself; "mean": the mean of all rows; "max": of each column the largest of all rows
    hidden_sizes    of dense layers between that and the classifier
    dropout         before each layer of the head; None for the config's hidden_dropout_prob
    num_texts       1 or 2: what it was trained on, texts or pairs of texts; None if that isn't known
    activation      what an answer makes of the logits: "softmax", "sigmoid" or "identity"; None for what suits the
                    problem type

    Raises UserError for a value that isn't one of these.
    """

    labels: tuple[str, ...] = ("LABEL_0", "LABEL_1")
    problem_type: str = "single_label_classification"
    pooling: str = "pooler"
    hidden_sizes: tuple[int, ...] = ()
    dropout: float | None = None
    num_texts: int | None = None
    activation: str | None = None

    def __post_init__(self) -> None:
        if self.problem_type not in PROBLEM_TYPES:
            raise UserError(f"problem_type is one of {', '.join(PROBLEM_TYPES)}; found {self.problem_type!r}")
        if self.pooling not in CLASSIFIER_POOLINGS:
            raise UserError(f"pooling is one of {', '.join(CLASSIFIER_POOLINGS)}; found {self.pooling!r}")
        if len(set(self.labels)) < max(1, len(self.labels)):
            raise UserError(f"the labels of a classifier must be different, found {', '.join(self.labels) or 'none'}")
        if not all(isinstance(size, int) and size > 0 for size in self.hidden_sizes):
            raise UserError(f"the hidden sizes of a classifier are whole numbers above 0, found {self.hidden_sizes}")
        if self.dropout is not None and not (isinstance(self.dropout, int | float) and 0 <= self.dropout < 1):
            raise UserError(f"classifier_dropout must be at least 0 and below 1, found {self.dropout!r}")
        if self.num_texts not in (None, 1, 2):
            raise UserError(f"classifier_texts must be 1 (texts) or 2 (pairs of texts), found {self.num_texts!r}")
        if broken := [label for label in self.labels if printable(label) != label]:
            raise UserError(f"a label is text on one line, found {broken[0]!r}")

    @property
    def answers(self) -> str:
        """What an answer makes of the logits."""
        return self.activation or ANSWERS[self.problem_type]
