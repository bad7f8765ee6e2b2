"""What may be asked of a database."""

import pytest

from training.errors import InvalidSource
from training.sources.statements import checked_statement

ALLOWED = [
    "select * from t",
    "SELECT a, count(*) AS n FROM t WHERE b = :b GROUP BY a ORDER BY 2 LIMIT 5;",
    "with recent as (select * from t) select * from recent",
    "(select 1 as a) union all select 2",
    "select x::int, '{\"a\":1}'::jsonb from t where note <> 'drop table t; :no'",
    "select a from t -- where b = :no",
]
REFUSED = [
    "", ";", "select 1; select 2", "select 1; drop table t", "drop table t", "insert into t values (1)",
    "update t set a = 1", "delete from t", "create table x as select 1", "alter table t add a int",
    "truncate t", "merge into t using s on true when matched then delete", "grant all on t to public",
    "with a as (insert into t values (1) returning *) select * from a",
    "with a as (delete from t returning *) select * from a", "select * into copy from t",
    "select * from t for update", "copy t to program 'sh'", "copy (select 1) to '/tmp/x'",
    "select 1 into outfile '/tmp/x'", "select 1 into dumpfile '/tmp/x'", "set role x", "begin", "commit",
    "vacuum", "call f()", "do $$ begin end $$", "explain analyze delete from t", "listen x", "show all",
    "attach database 'x' as y", "pragma writable_schema = 1", "values (1)", "prepare x as select 1",
    "select pg_read_file('/etc/passwd')", "select PG_READ_FILE('/etc/passwd')", "select pg_ls_dir('/')",
    "select * from pg_ls_dir('/')", "select set_config('app.tenant_id', '1', false)",
    "select lo_import('/etc/passwd')", "select * from dblink('host=x', 'select 1') as t(a int)",
    "select query_to_xml('delete from t', true, true, '')", "select pg_sleep(10)", "select nextval('s')",
    "select load_extension('x')", "select load_file('/etc/passwd')", "select sleep(10)",
    "select benchmark(1000000000, md5('a'))", "select 1 /*! into outfile '/tmp/x' */",
    "select 1 /*M! into outfile '/tmp/x' */", "select pg_terminate_backend(1)", "select ?",
    "select a from t where", "select '", "x", "(((", "select " + "(" * 5000 + "1" + ")" * 5000,
    "select " + "1," * 20_000 + "1", "select \x00 1",
]  # fmt: skip


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "sqlite"])
@pytest.mark.parametrize("query", REFUSED)
def test_what_is_not_one_select_is_refused(query: str, dialect: str) -> None:
    with pytest.raises(InvalidSource):
        checked_statement(query, dialect)


@pytest.mark.parametrize("query", ALLOWED)
def test_one_select_is_allowed(query: str) -> None:
    assert checked_statement(query, "postgres").text.lower().lstrip("(").startswith(("select", "with"))


def test_parameters_are_found_and_quoted_colons_are_none() -> None:
    found = checked_statement("select ':no', a from t where b = :b and c > :c::int -- :no", "postgres")
    assert found.names == {"b", "c"}
    assert found.text == r"select '\:no', a from t where b = :b and c > :c ::int"


def test_comments_are_not_sent() -> None:
    assert checked_statement("select 1 /* a */ as a -- b", "mysql").text == "select 1 as a"
