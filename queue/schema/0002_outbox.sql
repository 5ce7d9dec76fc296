-- Jobs come out of tenants' databases by way of their outboxes: docs/formats/control-database.md.

-- Which tenants' files may hold rows. `epoch`: of the file's stamp for which the mark stands; null: whatever it is. Deleted by its
-- number by whoever has read it, found the file empty and raised the epoch.
create table outbox_mark(
  number integer primary key autoincrement,
  tenant integer not null,
  epoch integer,
  marked_us integer not null
) strict;

create unique index outbox_mark_tenant on outbox_mark(tenant, ifnull(epoch, -1));

-- The number of the last row of each tenant's file that has been taken over. `behind`: the greatest number that a file had given which
-- was found to be an older copy; the tenant is failed for that, and was in `former_state` before. Null: it was found to be none.
create table outbox_seen(
  tenant integer primary key,
  seq integer not null check (seq >= 0),
  behind integer,
  former_state integer
) strict;
