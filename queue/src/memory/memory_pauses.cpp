#include "../pause_rules.hpp"
#include "../tenant_rules.hpp"
#include "memory_writer.hpp"

#include <algorithm>
#include <iterator>

namespace tenure::queue {

std::vector<PauseRecord> MemoryReader::pauses() {
  std::vector<PauseRecord> all;
  for (const auto& [key, record] : tables_.pauses()) all.push_back(record);
  return all;
}

Result<bool> MemoryWriter::pause(const NewPause& pause, WallTime now) {
  if (auto fits = check_pause(pause, now); !fits) return tl::unexpected(std::move(fits.error()));
  if (pause.scope == PauseScope::tenant) return pause_tenant(pause, now);
  const bool is_of_queue = pause.scope == PauseScope::queue;
  const bool has_jobs = (is_of_queue ? tables_.queues() : tables_.kinds()).numbers.contains(pause.name);
  const bool is_told = std::ranges::any_of(tables_.pools(), [&](const auto& pool) {
    const PoolRecord& record = pool.second.record;
    return std::ranges::count(is_of_queue ? record.queues : record.kinds, pause.name) > 0;
  });
  if (!has_jobs && !is_told) return unknown_paused(pause.scope, pause.name);
  remove_expired_pauses(now);
  const bool is_new = !tables_.pauses().contains({pause.scope, pause.name});
  if (is_new && tables_.pauses().size() >= kPausesMax) return too_many_pauses();
  tables_.set_pause(pause_record(pause, now));
  return is_new;
}

bool MemoryWriter::resume(PauseScope scope, std::string_view name) {
  if (scope == PauseScope::tenant) {
    const auto parsed = TenantName::parse(name);
    const auto tenant = parsed ? tables_.newest_tenant(*parsed) : std::nullopt;
    return tenant && resume_tenant(tenant->number);
  }
  const std::pair key{scope, std::string{name}};
  if (!tables_.pauses().contains(key)) return false;
  tables_.erase_pause(key);
  return true;
}

std::optional<OpenPauses> MemoryWriter::open_pauses(PausesMark known) {
  if (known == tables_.pauses_mark()) return std::nullopt;
  OpenPauses open{tables_.pauses_mark(), {}, std::nullopt};
  for (const auto& [key, record] : tables_.pauses())
    open.pauses.push_back({record.scope, record.name, record.until});
  for (const auto& [number, pause] : tables_.tenant_pauses())
    if (pause.record.until && (!open.tenants_until || *pause.record.until < *open.tenants_until))
      open.tenants_until = pause.record.until;
  return open;
}

void MemoryWriter::remove_expired_pauses(WallTime now) {
  std::vector<std::pair<PauseScope, std::string>> expired;
  for (const auto& [key, record] : tables_.pauses())
    if (record.until && *record.until <= now) expired.push_back(key);
  for (const auto& key : expired) tables_.erase_pause(key);
  resume_expired_tenants(now);
}

}  // namespace tenure::queue
