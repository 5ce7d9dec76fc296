#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/queue/audit.hpp>
#include <tenure/queue/batch.hpp>
#include <tenure/queue/fan_out.hpp>
#include <tenure/queue/records.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The filter language of the CLI (docs/manual/filters.md): terms that must all hold.
//   filter = term { SPACE term }      term = FIELD ( "=" | "!=" ) value { "," value }
//   value  = glob | range | '"' text '"'      range = [point] ".." [point] | point
//   point  = integer | duration | time
namespace tenure::queue {

enum class FilterField : std::uint8_t {
  id,
  state,
  queue,
  kind,
  tenant,
  generation,
  priority,
  attempt,
  crash,
  created,
  due,
  started,
  finished,
  age,
  error,
  reason,
  name,
  scheduled,
  ready,
  held,
  running,
  dead,
  oldest,
  at,
  verb,
  login,
  host,
  subject,
  pool,
  process,
  pid,
  node,
  batch,
  written,
};
[[nodiscard]] std::string_view name_of(FilterField field);

// `*` any run, `?` one character; case-sensitive.
struct Glob {
  std::string pattern;
  bool literal = false;  // from quotes: no wildcards
};
// Both ends included. Times are microseconds since 1970; integers are themselves.
struct Range {
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> last;
};
using FilterValue = std::variant<Glob, Range>;

struct FilterTerm {
  FilterField field = FilterField::id;
  bool negated = false;
  std::vector<FilterValue> values;  // any may hold; negated: none
};

struct Filter {
  std::vector<FilterTerm> terms;
};

// Of one filter; more is BadFilter.
inline constexpr std::size_t kFilterTermsMax = 64;
inline constexpr std::size_t kFilterValuesMax = 256;  // all terms together
inline constexpr std::size_t kFilterBytesMax = 4096;  // all words together

// Fields of a listing, in the order of its help.
[[nodiscard]] std::span<const FilterField> job_filter_fields();
[[nodiscard]] std::span<const FilterField> queue_filter_fields();
[[nodiscard]] std::span<const FilterField> tenant_filter_fields();
[[nodiscard]] std::span<const FilterField> audit_filter_fields();
[[nodiscard]] std::span<const FilterField> worker_filter_fields();
[[nodiscard]] std::span<const FilterField> batch_filter_fields();
[[nodiscard]] std::span<const FilterField> fan_out_filter_fields();

// `words` are terms as the shell split them. Relative times count from `now`. BadFilter names the term, what is wrong
// with it, and the nearest field, state or reason where one is near.
[[nodiscard]] Result<Filter> parse_filter(std::span<const std::string> words,
                                          std::span<const FilterField> fields, WallTime now);

// The first moment of a point of time as filters write it: 2026-03-02, 2026-03-02T10:14:00Z, now, +10m. BadOptions whose message is a
// clause that begins with the text.
[[nodiscard]] Result<WallTime> parse_time(std::string_view text, WallTime now);

// An untenanted job has the tenant `none`; `attempt` is its failures, `name` no field of jobs.
[[nodiscard]] bool matches(const Filter& filter, const JobRecord& job, WallTime now);
// Whether the term is met by reasons that only held jobs have, and by no other.
[[nodiscard]] bool asks_for_held(const FilterTerm& term);
// Whether the jobs that match can only be found by looking at succeeded ones, which no index holds: the filter lets them
// through and asks for more than states or whole ids.
[[nodiscard]] bool looks_at_succeeded(const Filter& filter);
// `oldest` is how long the oldest ready job has been due; where none is ready it is met by no range.
[[nodiscard]] bool matches(const Filter& filter, const QueueRecord& queue, WallTime now);
// `written` is met by no range where nobody has filled it in.
[[nodiscard]] bool matches(const Filter& filter, const TenantSummary& tenant, WallTime now);
// `reason` is the text that the operator has given.
[[nodiscard]] bool matches(const Filter& filter, const AuditRecord& record);
[[nodiscard]] bool matches(const Filter& filter, const WorkerRecord& worker);
// An untenanted batch has the tenant `none`; `finished` is when it was complete.
[[nodiscard]] bool matches(const Filter& filter, const BatchRecord& batch, WallTime now);
[[nodiscard]] bool matches(const Filter& filter, const FanOutRecord& fan_out, WallTime now);
[[nodiscard]] bool glob_matches(const Glob& glob, std::string_view text);

}  // namespace tenure::queue
