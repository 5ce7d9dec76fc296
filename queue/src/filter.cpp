#include <tenure/base/text.hpp>
#include <tenure/queue/filter.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace tenure::queue {
namespace {

constexpr std::array kJobFields{
    FilterField::id,       FilterField::state,      FilterField::queue,    FilterField::kind,
    FilterField::tenant,   FilterField::generation, FilterField::priority, FilterField::attempt,
    FilterField::crash,    FilterField::created,    FilterField::due,      FilterField::started,
    FilterField::finished, FilterField::age,        FilterField::error,    FilterField::reason,
    FilterField::batch,
};
constexpr std::array kQueueFields{
    FilterField::name,    FilterField::scheduled, FilterField::ready,  FilterField::held,
    FilterField::running, FilterField::dead,      FilterField::oldest,
};
constexpr std::array kTenantFields{
    FilterField::name,  FilterField::state,  FilterField::generation,
    FilterField::ready, FilterField::held,   FilterField::running,
    FilterField::dead,  FilterField::oldest, FilterField::written,
};
constexpr std::array kAuditFields{
    FilterField::at,   FilterField::verb,    FilterField::login,
    FilterField::host, FilterField::subject, FilterField::reason,
};
constexpr std::array kWorkerFields{
    FilterField::process, FilterField::pool, FilterField::pid, FilterField::state, FilterField::node,
};

constexpr std::array kBatchFields{
    FilterField::id,      FilterField::name,     FilterField::tenant, FilterField::state,
    FilterField::created, FilterField::finished, FilterField::age,
};

constexpr std::array kFanOutFields{
    FilterField::id,      FilterField::name,     FilterField::kind, FilterField::state,
    FilterField::created, FilterField::finished, FilterField::age,
};

std::optional<std::int64_t> us_of(const std::optional<WallTime>& time) {
  return time ? std::optional{to_us(*time)} : std::nullopt;
}

// Empty for what is compared as a number.
std::string text_of(FilterField field, const JobRecord& job) {
  if (field == FilterField::id) return job.id.text();
  if (field == FilterField::state) return std::string{name_of(job.state)};
  if (field == FilterField::queue) return job.queue;
  if (field == FilterField::kind) return job.kind;
  if (field == FilterField::tenant) return job.tenant ? job.tenant->text() : "none";
  if (field == FilterField::error) return job.error;
  if (field == FilterField::reason) return std::string{name_of(job.reason)};
  if (field == FilterField::batch && job.batch) return job.batch->text();
  return {};
}

std::optional<std::int64_t> number_of(FilterField field, const JobRecord& job, WallTime now) {
  if (field == FilterField::generation) return job.generation.value;
  if (field == FilterField::priority) return job.priority.value;
  if (field == FilterField::attempt) return job.failures;
  if (field == FilterField::crash) return job.crashes;
  if (field == FilterField::created) return to_us(job.created);
  if (field == FilterField::due) return to_us(job.due);
  if (field == FilterField::started) return us_of(job.started);
  if (field == FilterField::finished) return us_of(job.finished);
  if (field == FilterField::age) return to_us(now) - to_us(job.created);
  return std::nullopt;
}

bool holds(const Range& range, std::int64_t number) {
  return number >= range.first.value_or(std::numeric_limits<std::int64_t>::min()) &&
         number <= range.last.value_or(std::numeric_limits<std::int64_t>::max());
}

bool matches_term(const FilterTerm& term, std::string_view text, std::optional<std::int64_t> number) {
  const bool found = std::ranges::any_of(term.values, [&](const FilterValue& value) {
    if (const auto* glob = std::get_if<Glob>(&value)) return glob_matches(*glob, text);
    return number && holds(std::get<Range>(value), *number);
  });
  return found != term.negated;
}

std::string_view text_of(FilterField field, const AuditEntry& entry) {
  if (field == FilterField::verb) return entry.verb;
  if (field == FilterField::login) return entry.who.login;
  if (field == FilterField::host) return entry.who.host;
  if (field == FilterField::subject) return entry.subject;
  return entry.reason;
}

std::string_view text_of(FilterField field, const WorkerRecord& worker) {
  if (field == FilterField::pool) return worker.pool;
  if (field == FilterField::node) return worker.node;
  return worker.state;
}

// What queues and tenants have in common.
template <class Record>
std::optional<std::int64_t> count_of(FilterField field, const Record& record, WallTime now) {
  if (field == FilterField::ready) return record.ready;
  if (field == FilterField::held) return record.held;
  if (field == FilterField::running) return record.running;
  if (field == FilterField::dead) return record.dead;
  if (field == FilterField::oldest && record.oldest_ready) return to_us(now) - to_us(*record.oldest_ready);
  return std::nullopt;
}

std::optional<std::int64_t> number_of(FilterField field, const TenantSummary& tenant, WallTime now) {
  if (field == FilterField::generation) return tenant.tenant.generation.value;
  if (field == FilterField::written) return us_of(tenant.written);
  return count_of(field, tenant, now);
}

}  // namespace

std::string_view name_of(FilterField field) {
  switch (field) {
    case FilterField::id:
      return "id";
    case FilterField::state:
      return "state";
    case FilterField::queue:
      return "queue";
    case FilterField::kind:
      return "kind";
    case FilterField::tenant:
      return "tenant";
    case FilterField::generation:
      return "generation";
    case FilterField::priority:
      return "priority";
    case FilterField::attempt:
      return "attempt";
    case FilterField::crash:
      return "crash";
    case FilterField::created:
      return "created";
    case FilterField::due:
      return "due";
    case FilterField::started:
      return "started";
    case FilterField::finished:
      return "finished";
    case FilterField::age:
      return "age";
    case FilterField::error:
      return "error";
    case FilterField::reason:
      return "reason";
    case FilterField::name:
      return "name";
    case FilterField::scheduled:
      return "scheduled";
    case FilterField::ready:
      return "ready";
    case FilterField::held:
      return "held";
    case FilterField::running:
      return "running";
    case FilterField::dead:
      return "dead";
    case FilterField::oldest:
      return "oldest";
    case FilterField::at:
      return "at";
    case FilterField::verb:
      return "verb";
    case FilterField::login:
      return "login";
    case FilterField::host:
      return "host";
    case FilterField::subject:
      return "subject";
    case FilterField::pool:
      return "pool";
    case FilterField::process:
      return "process";
    case FilterField::pid:
      return "pid";
    case FilterField::node:
      return "node";
    case FilterField::batch:
      return "batch";
    case FilterField::written:
      return "written";
  }
  return "unknown";
}

std::span<const FilterField> job_filter_fields() { return kJobFields; }
std::span<const FilterField> queue_filter_fields() { return kQueueFields; }
std::span<const FilterField> tenant_filter_fields() { return kTenantFields; }
std::span<const FilterField> audit_filter_fields() { return kAuditFields; }
std::span<const FilterField> worker_filter_fields() { return kWorkerFields; }
std::span<const FilterField> batch_filter_fields() { return kBatchFields; }
std::span<const FilterField> fan_out_filter_fields() { return kFanOutFields; }

bool matches(const Filter& filter, const JobRecord& job, WallTime now) {
  return std::ranges::all_of(filter.terms, [&](const FilterTerm& term) {
    return matches_term(term, text_of(term.field, job), number_of(term.field, job, now));
  });
}

bool asks_for_held(const FilterTerm& term) {
  if (term.field != FilterField::reason) return false;
  // A stored reason that is none is shown as the word behind the last.
  for (int reason = 0; reason <= static_cast<int>(JobReason::generation) + 1; ++reason)
    if (matches_term(term, name_of(static_cast<JobReason>(reason)), std::nullopt)) return false;
  return true;
}

bool looks_at_succeeded(const Filter& filter) {
  const std::string_view succeeded = name_of(JobState::succeeded);
  bool asks_more = false;
  for (const FilterTerm& term : filter.terms) {
    if (term.field == FilterField::state) {
      if (!matches_term(term, succeeded, std::nullopt)) return false;
    } else if (asks_for_held(term)) {
      return false;
    } else if ((term.field == FilterField::id || term.field == FilterField::batch) && !term.negated &&
               std::ranges::all_of(term.values, [](const FilterValue& value) {
                 return Uuid::parse(std::get<Glob>(value).pattern).has_value();
               })) {
      return false;
    } else {
      asks_more = true;
    }
  }
  return asks_more;
}

bool matches(const Filter& filter, const QueueRecord& queue, WallTime now) {
  return std::ranges::all_of(filter.terms, [&](const FilterTerm& term) {
    const bool scheduled = term.field == FilterField::scheduled;
    return matches_term(term, queue.name,
                        scheduled ? std::optional{queue.scheduled} : count_of(term.field, queue, now));
  });
}

bool matches(const Filter& filter, const TenantSummary& tenant, WallTime now) {
  return std::ranges::all_of(filter.terms, [&](const FilterTerm& term) {
    const bool state = term.field == FilterField::state;
    return matches_term(term, state ? name_of(tenant.tenant.state) : tenant.tenant.name.text(),
                        number_of(term.field, tenant, now));
  });
}

bool matches(const Filter& filter, const AuditRecord& record) {
  return std::ranges::all_of(filter.terms, [&](const FilterTerm& term) {
    return matches_term(term, text_of(term.field, record.entry), to_us(record.at));
  });
}

bool matches(const Filter& filter, const WorkerRecord& worker) {
  return std::ranges::all_of(filter.terms, [&](const FilterTerm& term) {
    return matches_term(term, text_of(term.field, worker),
                        term.field == FilterField::pid ? worker.pid : worker.process);
  });
}

bool matches(const Filter& filter, const BatchRecord& batch, WallTime now) {
  const auto text = [&](FilterField field) -> std::string {
    if (field == FilterField::id) return batch.id.text();
    if (field == FilterField::name) return batch.name;
    if (field == FilterField::state) return std::string{name_of(batch.state())};
    return batch.tenant ? batch.tenant->text() : "none";
  };
  const auto number = [&](FilterField field) -> std::optional<std::int64_t> {
    if (field == FilterField::created) return to_us(batch.created);
    if (field == FilterField::age) return to_us(now) - to_us(batch.created);
    return us_of(batch.completed);
  };
  return std::ranges::all_of(filter.terms, [&](const FilterTerm& term) {
    return matches_term(term, text(term.field), number(term.field));
  });
}

bool matches(const Filter& filter, const FanOutRecord& fan_out, WallTime now) {
  return std::ranges::all_of(filter.terms, [&](const FilterTerm& term) {
    if (term.field == FilterField::kind) return matches_term(term, fan_out.kind, std::nullopt);
    if (term.field == FilterField::state) return matches_term(term, name_of(fan_out.state()), std::nullopt);
    return matches(Filter{{term}}, fan_out.batch, now);
  });
}

bool glob_matches(const Glob& glob, std::string_view text) {
  if (glob.literal) return glob.pattern == text;
  const std::string_view pattern = glob.pattern;
  std::size_t p = 0;
  std::size_t t = 0;
  // Where to go on after a mismatch: only the last star needs to be tried again, so the cost is at most quadratic.
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t += first_character(text.substr(t)).size;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      resume += first_character(text.substr(resume)).size;
      t = resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace tenure::queue
