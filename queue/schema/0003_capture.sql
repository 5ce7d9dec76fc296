-- Runs that operators want captured as capsules: docs/formats/control-database.md.

-- Of one job (`seq`, and `job` its id), or of those of a kind, of a tenant, or of both. `ends`: at which end of a run its capsule is
-- kept: 1 failure, 2 success, 3 any. A row goes with its last capsule, at its time, and with its job. Names of kinds and no numbers: one may have no job yet.
create table capture_request(
  number integer primary key autoincrement,
  seq integer,
  job blob check (length(job) = 16),
  tenant integer,
  kind text,
  ends integer not null check (ends between 1 and 3),
  count_left integer not null check (count_left between 1 and 1000),
  taken integer not null default 0 check (taken >= 0),
  failed integer not null default 0 check (failed >= 0),
  asked_us integer not null,
  until_us integer not null,
  uid integer not null,
  login text not null,
  reason text not null,
  check ((seq is null) = (job is null) and (seq is null or (tenant is null and kind is null)))
) strict;

create index capture_request_job on capture_request(seq) where seq is not null;

-- What became of the runs that ended as was asked: the last thousand. `file`: its name in the folder of capsules; empty where none
-- could be made, and then the other two say why.
create table capsule(
  number integer primary key autoincrement,
  seq integer not null,
  request integer not null,
  at_us integer not null,
  file text not null,
  error_code integer check (error_code between 0 and 65535),
  error text not null default ''
) strict;

create index capsule_job on capsule(seq);

-- Raised by every change of a request, so that a dispatcher reads them only then.
insert into mark(name, seq) values ('captures', 0);

create trigger capture_request_inserted after insert on capture_request
begin
  update mark set seq = seq + 1 where name = 'captures';
end;
create trigger capture_request_updated after update on capture_request
begin
  update mark set seq = seq + 1 where name = 'captures';
end;
create trigger capture_request_deleted after delete on capture_request
begin
  update mark set seq = seq + 1 where name = 'captures';
end;

create view captures as
select capture_request.number,
       lower(substr(hex(job), 1, 8) || '-' || substr(hex(job), 9, 4) || '-' || substr(hex(job), 13, 4) || '-' ||
             substr(hex(job), 17, 4) || '-' || substr(hex(job), 21)) as job,
       kind, tenant.name as tenant, case ends when 1 then 'failure' when 2 then 'success' when 3 then 'any' end as ends,
       count_left, taken, failed, strftime('%Y-%m-%dT%H:%M:%SZ', asked_us / 1000000, 'unixepoch') as asked,
       strftime('%Y-%m-%dT%H:%M:%SZ', until_us / 1000000, 'unixepoch') as until, uid, login, reason
from capture_request
left join tenant on tenant.number = capture_request.tenant;
