-- Queues and kinds that operators have paused: docs/formats/control-database.md.

-- `scope`: 1 a queue, 2 a kind. Names and no numbers: one may have no job yet.
create table pause(
  scope integer not null check (scope in (1, 2)),
  name text not null,
  paused_us integer not null,
  until_us integer,
  uid integer not null,
  login text not null,
  reason text not null,
  primary key (scope, name)
) strict, without rowid;

-- Raised by every change of a pause, so that a dispatcher reads them only then.
insert into mark(name, seq) values ('pauses', 0);

create trigger pause_inserted after insert on pause
begin
  update mark set seq = seq + 1 where name = 'pauses';
end;
create trigger pause_updated after update on pause
begin
  update mark set seq = seq + 1 where name = 'pauses';
end;
create trigger pause_deleted after delete on pause
begin
  update mark set seq = seq + 1 where name = 'pauses';
end;

create view pauses as
select case scope when 1 then 'queue' when 2 then 'kind' end as scope, name,
       strftime('%Y-%m-%dT%H:%M:%SZ', paused_us / 1000000, 'unixepoch') as paused,
       strftime('%Y-%m-%dT%H:%M:%SZ', until_us / 1000000, 'unixepoch') as until, uid, login, reason
from pause;
