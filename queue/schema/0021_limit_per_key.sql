-- Limits that count by the concurrency key of a job (`per_key`): docs/formats/control-database.md. Such a one has no rate and counts by
-- nothing else.
alter table limit_rule add column per_key integer not null default 0 check (per_key in (0, 1));

create index limit_rule_of_keys on limit_rule(number) where per_key = 1;

drop view limits;

create view limits as
select name, kind, queue,
       rtrim(case when per & 1 then 'tenant,' else '' end || case when per & 2 then 'kind,' else '' end ||
             case when per & 4 then 'queue,' else '' end || case when per_key then 'key,' else '' end, ',') as per,
       coalesce(set_running, declared_running) as running,
       coalesce(set_starts, declared_starts) as starts,
       coalesce(set_window_us, declared_window_us) / 1000000 as window_seconds,
       strftime('%Y-%m-%dT%H:%M:%SZ', set_us / 1000000, 'unixepoch') as set_at, uid, login, reason
from limit_rule;
