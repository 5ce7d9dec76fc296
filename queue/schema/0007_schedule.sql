-- Schedules and what became of their ticks: docs/formats/control-database.md.

-- One row for each schedule, as somebody has written it. `origin`: 1 the configuration, 2 added by an operator. `problem`: what is wrong
-- with it, '' for nothing; then it has no ticks. Either `cron` or `every_us`. `scope`: 1 global, 2 one tenant, 3 each tenant. `catch_up`:
-- 1 none, 2 latest, 3 all, the last `catch_up_max`. `overlap`: 1 allow, 2 skip, 3 queue_one. Every tick up to `decided_us` is decided, and
-- while it is paused those up to `noted_us` are noted as skipped. `fan_tick_us`: the tick whose jobs are being made, of tenants by number,
-- the last of which was `fan_after`. Numbers never come back.
create table schedule(
  number integer primary key autoincrement,
  name text not null unique,
  origin integer not null check (origin between 1 and 2),
  problem text not null,
  revision integer not null,
  kind text not null,
  queue text not null,
  priority integer not null,
  attempts_max integer not null,
  cron text not null,
  every_us integer not null,
  time_zone text not null,
  arguments text not null,
  scope integer not null check (scope between 1 and 3),
  tenant text not null,
  spread_us integer not null,
  catch_up integer not null check (catch_up between 1 and 3),
  catch_up_max integer not null,
  overlap integer not null check (overlap between 1 and 3),
  decided_us integer not null,
  noted_us integer not null,
  fan_tick_us integer,
  fan_after integer,
  missed integer not null default 0 check (missed >= 0),
  paused_us integer,
  paused_uid integer,
  paused_login text,
  paused_reason text,
  check ((fan_tick_us is null) = (fan_after is null) and (paused_us is null) = (paused_uid is null))
) strict;

-- What became of a tick: `result` 1 fired, 2 overlap, 3 paused, 4 missed, 5 tenant, 6 refused; `job` of one that fired. `tenant` 0: of a job
-- without one, or of the whole tick. `manual` 1: an operator ran the schedule then. A day of them is kept; that no tick fires twice is said by
-- schedule.decided_us, which no deletion of rows moves.
create table schedule_tick(
  number integer primary key,
  schedule integer not null,
  tick_us integer not null,
  tenant integer not null,
  manual integer not null check (manual between 0 and 1),
  result integer not null check (result between 1 and 6),
  job blob check (length(job) = 16),
  unique (schedule, tick_us, tenant, manual)
) strict;

create index schedule_tick_time on schedule_tick(tick_us);
create index schedule_tick_job on schedule_tick(job) where job is not null;

-- Jobs of schedules that are not known to have ended, for the overlap policy. A row goes when somebody asks and the job has ended.
create table schedule_job(
  seq integer primary key,
  schedule integer not null,
  tenant integer not null
) strict;

create index schedule_job_unended on schedule_job(schedule, tenant, seq);

-- Raised by every change of a schedule but the progress of its ticks, so that a dispatcher reads them only then.
insert into mark(name, seq) values ('schedules', 0);

create trigger schedule_inserted after insert on schedule
begin
  update mark set seq = seq + 1 where name = 'schedules';
end;
create trigger schedule_updated after update of revision on schedule
begin
  update mark set seq = seq + 1 where name = 'schedules';
end;
create trigger schedule_deleted after delete on schedule
begin
  update mark set seq = seq + 1 where name = 'schedules';
end;

create view schedules as
select number, name, case origin when 1 then 'configuration' else 'added' end as origin, problem, kind, queue,
       case when cron = '' then every_us / 1000000 || ' s' else cron end as rule, time_zone,
       case scope when 1 then 'global' when 2 then 'tenant:' || tenant else 'each_tenant' end as scope,
       case catch_up when 1 then 'none' when 2 then 'latest' else 'all:' || catch_up_max end as catch_up,
       case overlap when 1 then 'allow' when 2 then 'skip' else 'queue_one' end as overlap,
       strftime('%Y-%m-%dT%H:%M:%SZ', decided_us / 1000000, 'unixepoch') as decided, missed,
       strftime('%Y-%m-%dT%H:%M:%SZ', paused_us / 1000000, 'unixepoch') as paused, paused_login, paused_reason
from schedule;
