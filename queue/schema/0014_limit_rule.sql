-- Limits that the configuration declares and operators set, and the starts that rates count: docs/formats/control-database.md.

-- `kind` and `queue` are patterns. `per`: by what is counted separately, the sum of 1 tenant, 2 kind, 4 queue. `declared_...` is the
-- configuration's word, all null where it has none, `set_...` the operator's, which is before it; `set_us` null: nobody has set any.
create table limit_rule(
  number integer primary key autoincrement,
  name text not null unique,
  kind text not null,
  queue text not null,
  per integer not null check (per between 0 and 7),
  declared_running integer,
  declared_starts integer,
  declared_window_us integer,
  set_running integer,
  set_starts integer,
  set_window_us integer,
  set_us integer,
  uid integer not null,
  login text not null,
  reason text not null
) strict;

-- The starts of those that are counted together, in buckets; what the limit does not count by is 0. `starts`: that the bucket takes, all of
-- which count once its dispatcher is gone. `is_last`: with it nothing more may start. `last_start_us`: no start in it is later.
create table start_bucket(
  limit_number integer not null,
  tenant integer not null,
  queue integer not null,
  kind integer not null,
  number integer not null,
  starts integer not null check (starts > 0),
  is_last integer not null check (is_last in (0, 1)),
  last_start_us integer not null,
  primary key (limit_number, tenant, queue, kind, number)
) strict, without rowid;

create index start_bucket_time on start_bucket(last_start_us);

-- Raised by every change of a limit, so that a dispatcher reads them only then.
insert into mark(name, seq) values ('limits', 0);

create trigger limit_rule_inserted after insert on limit_rule
begin
  update mark set seq = seq + 1 where name = 'limits';
end;
create trigger limit_rule_updated after update on limit_rule
begin
  update mark set seq = seq + 1 where name = 'limits';
end;
create trigger limit_rule_deleted after delete on limit_rule
begin
  update mark set seq = seq + 1 where name = 'limits';
  delete from start_bucket where limit_number = old.number;
end;
-- Others are counted together then.
create trigger limit_rule_counts_otherwise after update of kind, queue, per on limit_rule
  when old.kind <> new.kind or old.queue <> new.queue or old.per <> new.per
begin
  delete from start_bucket where limit_number = old.number;
end;

create view limits as
select name, kind, queue,
       rtrim(case when per & 1 then 'tenant,' else '' end || case when per & 2 then 'kind,' else '' end ||
             case when per & 4 then 'queue,' else '' end, ',') as per,
       coalesce(set_running, declared_running) as running,
       coalesce(set_starts, declared_starts) as starts,
       coalesce(set_window_us, declared_window_us) / 1000000 as window_seconds,
       strftime('%Y-%m-%dT%H:%M:%SZ', set_us / 1000000, 'unixepoch') as set_at, uid, login, reason
from limit_rule;
