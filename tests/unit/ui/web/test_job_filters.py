import pytest

from tetherpy.jobs import BackgroundJobStatus
from tetherpy.ui.web.pages.job_filters import MAX_PAGE, PAGE_SIZE, JobFilter


def test_an_address_becomes_a_question_and_an_address_again():
    params = {"status": "failed", "text": " lamp ", "key": "charge", "queue": "mail", "order": "oldest", "page": "3"}
    params["window"] = "24h"
    wanted = JobFilter.of(params)
    query = wanted.query
    assert (query.status, query.text, query.job_key, query.queue) == (
        BackgroundJobStatus.FAILED,
        "lamp",
        "charge",
        "mail",
    )
    assert (query.order_by_creation, query.offset, query.limit) == ("ASC", 2 * PAGE_SIZE, PAGE_SIZE + 1)
    assert wanted.params(page=3) == "?status=failed&text=lamp&key=charge&queue=mail&order=oldest&page=3&window=24h"


def test_nothing_asked_is_everything():
    assert JobFilter.of({}) == JobFilter()
    assert JobFilter().params() == ""
    assert JobFilter().query.text is None


def test_a_change_begins_at_the_first_page():
    assert JobFilter(page=7, text="a b").params() == "?text=a+b"


@pytest.mark.parametrize("page", ["", "0", "-3", "x", "1e3", "٣", "9" * 30, "1.5"])
def test_what_is_no_page_is_the_first(page):
    assert JobFilter.of({"page": page}).page == 1


def test_what_no_one_means_is_left_out_and_what_is_too_much_is_cut():
    assert JobFilter.of({"status": "exploded", "order": "sideways", "window": "1y"}) == JobFilter()
    assert len(JobFilter.of({"text": "x" * 10_000}).text) == 200
    assert JobFilter.of({"page": "999999999"}).page == MAX_PAGE


@pytest.mark.parametrize(
    ("text", "number"), [("#12", 12), ("12", None), ("#", None), ("#x", None), ("#" + "9" * 19, None)]
)
def test_a_number_with_a_hash_means_that_job(text, number):
    assert JobFilter(text=text).job_number == number
