-- Jobs that were claimed when the daemon died, until their claims end otherwise. They stand in `blocked` for the reason 10 (suspect),
-- or have a claim. `deaths` counts those of the daemon in a row. The token is that of the newest claim; `trial` says how that one
-- was made: 1 as a suspect beside others that performed, 2 as a suspect alone, 0 otherwise, or its trial was over.
create table suspect(
  seq integer primary key,
  deaths integer not null check (deaths between 1 and 2147483647),
  trial integer not null check (trial between 0 and 2),
  incarnation integer not null,
  counter integer not null
) strict;

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
            when 7 then 'expired' when 8 then 'by_rule' when 9 then 'by_operator' when 10 then 'suspect' end as reason,
       coalesce(tenant.name, 'none') as tenant, tenant.generation, queue.name as queue, kind.name as kind, placed.priority,
       strftime('%Y-%m-%dT%H:%M:%SZ', placed.due_us / 1000000, 'unixepoch') as due,
       strftime('%Y-%m-%dT%H:%M:%SZ', placed.created_us / 1000000, 'unixepoch') as created,
       strftime('%Y-%m-%dT%H:%M:%SZ', case when placed.state >= 4 then placed.started_us
                                           else coalesce(claimed_us, ended_started_us) end / 1000000, 'unixepoch') as started,
       strftime('%Y-%m-%dT%H:%M:%SZ', case when placed.state >= 4 then placed.finished_us
                                           else ended_finished_us end / 1000000, 'unixepoch') as finished,
       placed.failures, placed.crashes, placed.releases, placed.attempts_max, length(placed.envelope) as size_bytes
from placed
left join tenant on tenant.number = placed.tenant
left join queue on queue.number = placed.queue
left join kind on kind.number = placed.kind;
