-- Keys that jobs state: how many of them run at a time, and of which there is one only. docs/formats/control-database.md.
--
-- A key's text begins with whose it is: 'T/', T the number of the tenant, or '*/' where it is one for all.

-- The concurrency keys of jobs, for as long as these are there. How many of a key run is counted by claim.key.
create table job_key(
  seq integer primary key,
  key text not null,
  running_max integer not null check (running_max between 1 and 10000)
) strict;

-- Who waits for a concurrency key: the jobs of `blocked` with the reason 11 (limit_key), in the order in which those of one tenant get it.
create table key_line(
  key text not null,
  tenant integer not null,
  priority integer not null check (priority between -100 and 100),
  due_us integer not null,
  seq integer not null,
  primary key (key, tenant, priority, due_us, seq)
) strict, without rowid;

create unique index key_line_job on key_line(seq);

create index claim_key on claim(key) where key is not null;

-- The unique keys of jobs that have not succeeded. `until`: 1 the job has ended, 2 it was claimed once. `is_held`: it has the key; else
-- it has had it, which a retry by an operator asks for.
create table unique_key(
  seq integer primary key,
  key text not null,
  until integer not null check (until in (1, 2)),
  is_held integer not null check (is_held in (0, 1))
) strict;

create unique index unique_key_held on unique_key(key) where is_held = 1;

drop view jobs;

create view jobs as
with placed as (
  select job.*,
         claim.started_us as claimed_us, blocked.reason as blocked_for, ended.started_us as ended_started_us,
         ended.finished_us as ended_finished_us,
         case when job.state >= 4 then job.state
              when claim.seq is not null then 8
              when blocked.seq is not null then 3
              when exists (select 1 from scheduled where scheduled.due_us = job.due_us and scheduled.seq = job.seq) then 1
              when ended.seq is not null then 4
              else 2 end as place
  from job
  left join claim on claim.seq = job.seq
  left join blocked on blocked.seq = job.seq
  left join ended on ended.seq = job.seq
)
select placed.seq,
       lower(substr(hex(placed.id), 1, 8) || '-' || substr(hex(placed.id), 9, 4) || '-' || substr(hex(placed.id), 13, 4) || '-' ||
             substr(hex(placed.id), 17, 4) || '-' || substr(hex(placed.id), 21)) as id,
       case when place = 2 and tenant.state <> 2 then 'held'
            else case place when 1 then 'scheduled' when 2 then 'ready' when 3 then 'blocked' when 4 then 'succeeded'
                            when 5 then 'dead' when 6 then 'discarded' when 7 then 'cancelled' when 8 then 'running' end
       end as state,
       case case when place = 3 then blocked_for when place = 1 or placed.state > 4 then placed.reason else 0 end
            when 0 then 'none' when 1 then 'not_due' when 2 then 'retry_wait' when 3 then 'envelope_newer'
            when 4 then 'attempts_exhausted' when 5 then 'permanent_error' when 6 then 'poison'
            when 7 then 'expired' when 8 then 'by_rule' when 9 then 'by_operator' when 10 then 'suspect'
            when 11 then 'limit_key' when 12 then 'schedule_overlap' when 13 then 'put_off' when 14 then 'time_exhausted'
       end as reason,
       coalesce(tenant.name, 'none') as tenant, tenant.generation, queue.name as queue, kind.name as kind, placed.priority,
       strftime('%Y-%m-%dT%H:%M:%SZ', placed.due_us / 1000000, 'unixepoch') as due,
       strftime('%Y-%m-%dT%H:%M:%SZ', placed.created_us / 1000000, 'unixepoch') as created,
       strftime('%Y-%m-%dT%H:%M:%SZ', case when placed.state >= 4 then nullif(placed.started_us, 0)
                                           else coalesce(claimed_us, ended_started_us) end / 1000000, 'unixepoch') as started,
       strftime('%Y-%m-%dT%H:%M:%SZ', case when placed.state >= 4 then placed.finished_us
                                           else ended_finished_us end / 1000000, 'unixepoch') as finished,
       placed.failures, placed.crashes, placed.releases, placed.attempts_max, length(placed.envelope) as size_bytes
from placed
left join tenant on tenant.number = placed.tenant
left join queue on queue.number = placed.queue
left join kind on kind.number = placed.kind;
