-- Tenants that were put back from a copy: docs/formats/control-database.md.

-- `tenant`: the generation that was there. `is_put_away`: it had not been deleted before, and its jobs stay when its file in the graveyard
-- is erased. `next`: the generation that the copy becomes, once the old one is deleted.
create table tenant_restore(
  tenant integer primary key,
  begun_us integer not null,
  copied_us integer not null,
  copied_generation integer not null check (copied_generation > 0),
  is_put_away integer not null check (is_put_away in (0, 1)),
  next integer
) strict;

create index tenant_restore_next on tenant_restore(next) where next is not null;

create view tenant_restores as
select tenant.name, tenant.generation as before, successor.generation as next, copied_generation,
       strftime('%Y-%m-%dT%H:%M:%SZ', copied_us / 1000000, 'unixepoch') as copied,
       strftime('%Y-%m-%dT%H:%M:%SZ', begun_us / 1000000, 'unixepoch') as begun
from tenant_restore join tenant on tenant.number = tenant_restore.tenant
left join tenant as successor on successor.number = tenant_restore.next;
