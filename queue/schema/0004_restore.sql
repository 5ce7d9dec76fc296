-- The control database is put back from a copy: docs/formats/control-database.md.

-- That this happened. `epoch`: of the store from then on; `copied_us`: when the copy was made; `marked`: how many tenants' files were
-- marked to be looked at.
create table restore(
  epoch integer primary key,
  copied_us integer not null,
  noticed_us integer not null,
  marked integer not null check (marked >= 0)
) strict;

-- How many numbers of each file have rows in neither database, and when the last of them were found.
alter table outbox_seen add column lost integer not null default 0;
alter table outbox_seen add column lost_us integer;

create index outbox_lost on outbox_seen(lost_us) where lost > 0;

create view restores as
select epoch, strftime('%Y-%m-%dT%H:%M:%SZ', copied_us / 1000000, 'unixepoch') as copied,
       strftime('%Y-%m-%dT%H:%M:%SZ', noticed_us / 1000000, 'unixepoch') as noticed, marked
from restore;
