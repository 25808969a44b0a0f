import pytest
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from tetherpy.django.addresses import address_of


def test_a_file_is_its_path(tmp_path):
    assert address_of({"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "a.db"}) == str(tmp_path / "a.db")


def test_the_url_of_a_server_has_what_its_settings_say():
    settings = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop/ü",
        "USER": "a@b",
        "PASSWORD": "p:/?#&",
        "HOST": "/var/run/postgres ql",
        "PORT": 5433,
        "OPTIONS": {"sslmode": "require", "pool": True},
    }
    assert conninfo_to_dict(address_of(settings)) == {
        "dbname": "shop/ü", "user": "a@b", "password": "p:/?#&", "host": "/var/run/postgres ql", "port": "5433",
        "sslmode": "require",
    }  # fmt: skip
    assert conninfo_to_dict(address_of({"ENGINE": "django.contrib.gis.db.backends.postgis", "NAME": "x"})) == {
        "dbname": "x"
    }


def test_another_engine_is_an_error_that_says_what_to_do():
    with pytest.raises(ImproperlyConfigured, match=r"mysql.*OPTIONS"):
        address_of({"ENGINE": "django.db.backends.mysql", "NAME": "x"})
