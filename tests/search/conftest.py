import pytest

from tests.small_shop import make_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """An index that tests only read."""
    return make_shop(tmp_path_factory.mktemp("shops") / "shop", category="department", queries={"bread": 5, "milk": 3})
