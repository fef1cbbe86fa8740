-- One service's roles and database, for psql run as a superuser. It can be run again at any time, also by
-- several at once, and for a further database of the same roles:
--
--     psql --variable service=orders --variable database=orders --file databases.sql
--
-- Passwords come from the environment (GOZON_OWNER_PASSWORD, ...), because a command line can be read by
-- everyone on the machine; a role whose variable is unset keeps the password it has.

\set ON_ERROR_STOP on
\set owner :service _owner
\set api :service _api
\set writer :service _writer
\set relay :service _relay
\set audit :service _audit
\set everyone :service _everyone

\set owner_password ''
\set api_password ''
\set writer_password ''
\set relay_password ''
\set audit_password ''
\getenv owner_password GOZON_OWNER_PASSWORD
\getenv api_password GOZON_API_PASSWORD
\getenv writer_password GOZON_WRITER_PASSWORD
\getenv relay_password GOZON_RELAY_PASSWORD
\getenv audit_password GOZON_AUDIT_PASSWORD

set client_min_messages = warning;

-- Roles belong to the whole server: two sessions that change the same one at once fail with
-- "tuple concurrently updated". The lock ends with this session at the next \connect.
select pg_advisory_lock(hashtext('gozon databases')) \g /dev/null

create temporary table wanted as
select *
-- The connection limits add up to less than max_connections for both services, so that no role can starve
-- another, and an administrator always gets in. Each is what the most pods open that the charts' production values allow.
from (values
    (:'owner',  :'owner_password',  30,  '60s',  '5s', '60s'),
    (:'api',    :'api_password',    120, '5s',   '1s', '5s'),
    (:'writer', :'writer_password', 120, '10s',  '2s', '10s'),
    (:'relay',  :'relay_password',  60,  '10s',  '1s', '10s'),
    (:'audit',  :'audit_password',  10,  '300s', '1s', '300s')
) as role (name, password, connections, statement_timeout, lock_timeout, idle_in_transaction_session_timeout);

select format('create role %I', name)
from wanted where name not in (select rolname from pg_roles) \gexec

select format('create role %I nologin', :'everyone')
where :'everyone' not in (select rolname from pg_roles) \gexec

select format('alter role %I login connection limit %s', name, connections) from wanted \gexec
select format('alter role %I password %L', name, password) from wanted where password <> '' \gexec

select format('alter role %I set %s = %L', wanted.name, setting.name, setting.value)
from wanted, lateral (values
    ('statement_timeout', statement_timeout),
    ('lock_timeout', lock_timeout),
    ('idle_in_transaction_session_timeout', idle_in_transaction_session_timeout)
) as setting (name, value) \gexec

-- What belongs to everyone must be asked for by SET LOCAL ROLE in the one place that may; NOINHERIT keeps it
-- from seeping into every other statement of the same login.
alter role :"api" noinherit;
grant :"everyone" to :"api";

-- So that the metric of held snapshots names whoever holds one, also of other roles. Without it the relay sees its own.
grant pg_read_all_stats to :"relay";

select format('create database %I owner %I', :'database', :'owner')
where :'database' not in (select datname from pg_database) \gexec

revoke connect, temporary on database :"database" from public;
grant connect on database :"database" to :"owner", :"api", :"writer", :"relay", :"audit";

\connect :"database"
revoke create on schema public from public;
