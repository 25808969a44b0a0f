import pytest

from tetherpy.jobs import BackgroundJobStatus
from tetherpy.ui.web.pages.job_filters import MAX_PAGE, PAGE_SIZE, JobFilter


def test_filters_are_parsed_from_a_url_and_formatted_as_the_same_url():
    params = {"status": "failed", "text": " lamp ", "key": "charge", "queue": "mail", "order": "oldest", "page": "3"}
    params |= {"window": "24h", "meta": "tenant=7"}
    wanted = JobFilter.of(params)
    query = wanted.query
    assert (query.status, query.text, query.job_key, query.queue) == (
        BackgroundJobStatus.FAILED,
        "lamp",
        "charge",
        "mail",
    )
    assert query.meta == (("tenant", "7"),)
    assert (query.order_by_creation, query.offset, query.limit) == ("ASC", 2 * PAGE_SIZE, PAGE_SIZE)
    assert (
        wanted.params(page=3)
        == "?status=failed&text=lamp&key=charge&queue=mail&meta=tenant%3D7&order=oldest&page=3&window=24h"
    )


def test_an_empty_query_selects_all_jobs():
    assert JobFilter.of({}) == JobFilter()
    assert JobFilter().params() == ""
    assert JobFilter().query.text is None


def test_a_changed_filter_starts_at_the_first_page():
    assert JobFilter(page=7, text="a b").params() == "?text=a+b"


@pytest.mark.parametrize("page", ["", "0", "-3", "x", "1e3", "٣", "9" * 30, "1.5"])
def test_an_invalid_page_is_the_first(page):
    assert JobFilter.of({"page": page}).page == 1


def test_unknown_filters_are_ignored_and_long_ones_cut():
    assert JobFilter.of({"status": "exploded", "order": "sideways", "window": "1y"}) == JobFilter()
    assert len(JobFilter.of({"text": "x" * 10_000}).text) == 200
    assert JobFilter.of({"page": "999999999"}).page == MAX_PAGE


@pytest.mark.parametrize("meta", ["tenant", "=7", "\0=\0", "=" * 300])
def test_a_meta_that_is_no_pair_filters_too(meta):
    wanted = JobFilter.of({"meta": meta})
    assert wanted.is_narrowed
    assert wanted.query.meta is not None


@pytest.mark.parametrize(
    ("text", "number"), [("#12", 12), ("12", None), ("#", None), ("#x", None), ("#" + "9" * 19, None)]
)
def test_a_number_with_a_hash_is_a_job_id(text, number):
    assert JobFilter(text=text).job_number == number
