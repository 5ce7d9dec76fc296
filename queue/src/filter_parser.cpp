#include "filter_points.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/filter.hpp>

#include <algorithm>
#include <array>

namespace tenure::queue {
namespace {

tl::unexpected<Failure> bad(std::string message) { return fail(ErrorCode::bad_filter, std::move(message)); }

std::string with_nearest(std::string message, std::string_view word,
                         std::span<const std::string_view> candidates) {
  if (const auto near = nearest(word, candidates)) message += "; did you mean '" + std::string{*near} + "'?";
  return message;
}

template <class Enum, std::size_t kCount>
std::vector<std::string_view> names(const std::array<Enum, kCount>& values) {
  std::vector<std::string_view> list;
  list.reserve(kCount);
  for (const Enum value : values) list.push_back(name_of(value));
  return list;
}

std::vector<std::string_view> shown_state_names() {
  return names(std::array{ShownState::scheduled, ShownState::ready, ShownState::blocked,
                          ShownState::succeeded, ShownState::dead, ShownState::discarded,
                          ShownState::cancelled, ShownState::running, ShownState::held});
}

std::vector<std::string_view> tenant_state_names() {
  return names(std::array{TenantState::provisioning, TenantState::active, TenantState::paused,
                          TenantState::read_only, TenantState::migrating, TenantState::failed,
                          TenantState::draining, TenantState::deleted});
}

// As worker processes are shown (docs/formats/control-socket.md).
constexpr std::array<std::string_view, 3> kBatchStates{"open", "closed", "complete"};
constexpr std::array<std::string_view, 4> kFanOutStates{"visiting", "cancelling", "waiting", "complete"};
constexpr std::array<std::string_view, 4> kWorkerStates{"starting", "ready", "quiet", "leaving"};

std::vector<std::string_view> reason_names() {
  return names(std::array{JobReason::none,
                          JobReason::not_due,
                          JobReason::retry_wait,
                          JobReason::envelope_newer,
                          JobReason::attempts_exhausted,
                          JobReason::permanent_error,
                          JobReason::poison,
                          JobReason::expired,
                          JobReason::by_rule,
                          JobReason::by_operator,
                          JobReason::suspect,
                          JobReason::limit_key,
                          JobReason::schedule_overlap,
                          JobReason::put_off,
                          JobReason::time_exhausted,
                          JobReason::generation,
                          JobReason::kind_unknown,
                          JobReason::queue_without_pool,
                          JobReason::tenant_without_pool,
                          JobReason::pool_without_worker,
                          JobReason::tenant_paused,
                          JobReason::tenant_read_only,
                          JobReason::tenant_not_ready,
                          JobReason::tenant_deleted,
                          JobReason::queue_paused,
                          JobReason::kind_paused,
                          JobReason::limit_cap,
                          JobReason::limit_rate,
                          JobReason::schema_behind,
                          JobReason::row_refused});
}

bool has(std::span<const FilterField> fields, FilterField field) {
  return std::ranges::find(fields, field) != fields.end();
}

// The words that a field can have, where they are few; a value that meets none of them is a mistake.
std::vector<std::string_view> closed_words(FilterField field, std::span<const FilterField> fields) {
  if (field == FilterField::state && has(fields, FilterField::process))
    return {kWorkerStates.begin(), kWorkerStates.end()};
  if (field == FilterField::state && has(fields, FilterField::kind) && has(fields, FilterField::name))
    return {kFanOutStates.begin(), kFanOutStates.end()};
  if (field == FilterField::state && has(fields, FilterField::finished) && has(fields, FilterField::name))
    return {kBatchStates.begin(), kBatchStates.end()};
  if (field == FilterField::state)
    return has(fields, FilterField::name) ? tenant_state_names() : shown_state_names();
  if (field == FilterField::reason && !has(fields, FilterField::verb)) return reason_names();
  return {};
}

std::optional<PointKind> point_kind(FilterField field) {
  switch (field) {
    case FilterField::generation:
    case FilterField::priority:
    case FilterField::attempt:
    case FilterField::crash:
    case FilterField::scheduled:
    case FilterField::ready:
    case FilterField::held:
    case FilterField::running:
    case FilterField::dead:
    case FilterField::process:
    case FilterField::pid:
      return PointKind::integer;
    case FilterField::created:
    case FilterField::due:
    case FilterField::started:
    case FilterField::finished:
    case FilterField::at:
    case FilterField::written:
      return PointKind::time;
    case FilterField::age:
    case FilterField::oldest:
      return PointKind::duration;
    case FilterField::id:
    case FilterField::state:
    case FilterField::queue:
    case FilterField::kind:
    case FilterField::tenant:
    case FilterField::error:
    case FilterField::reason:
    case FilterField::name:
    case FilterField::verb:
    case FilterField::login:
    case FilterField::host:
    case FilterField::subject:
    case FilterField::pool:
    case FilterField::node:
    case FilterField::batch:
      break;
  }
  return std::nullopt;
}

// What such a field names has no blank, by the rules of names; an error or a reason of an operator may have some.
bool has_no_blanks(FilterField field) {
  return field == FilterField::id || field == FilterField::state || field == FilterField::queue ||
         field == FilterField::kind || field == FilterField::tenant || field == FilterField::name;
}

// `"text"` at the front, a doubled quote standing for one; takes it off.
Result<Glob> take_quoted(std::string_view& text) {
  Glob glob{.pattern = {}, .literal = true};
  text.remove_prefix(1);
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '"') {
      glob.pattern += c;
    } else if (!text.empty() && text.front() == '"') {
      glob.pattern += '"';
      text.remove_prefix(1);
    } else if (text.empty() || text.front() == ',') {
      return glob;
    } else {
      return bad("something follows a closing quote");
    }
  }
  return bad("a quote is not closed");
}

class TermParser {
 public:
  TermParser(std::span<const FilterField> fields, WallTime now) : fields_(fields), now_(now) {}

  Result<FilterTerm> parse(std::string_view word) const {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos)
      return bad("it has no '='; terms look like state=dead or queue!=mail");
    FilterTerm term;
    term.negated = equals > 0 && word[equals - 1] == '!';
    const auto field = field_named(word.substr(0, term.negated ? equals - 1 : equals));
    if (!field) return tl::unexpected(field.error());
    term.field = *field;
    std::string_view rest = word.substr(equals + 1);
    for (;;) {
      auto value = take_value(term.field, rest);
      if (!value) return tl::unexpected(std::move(value.error()));
      term.values.push_back(std::move(*value));
      if (rest.empty()) return term;
      rest.remove_prefix(1);  // the comma
    }
  }

 private:
  Result<FilterField> field_named(std::string_view name) const {
    std::vector<std::string_view> known;
    for (const FilterField field : fields_) {
      if (name_of(field) == name) return field;
      // The jobs of a fan-out are the members of the batch that has its id.
      if (field == FilterField::batch && name == "fan_out") return field;
      known.push_back(name_of(field));
    }
    return bad(with_nearest("there is no field '" + escaped(name) + "'", name, known));
  }

  Result<FilterValue> take_value(FilterField field, std::string_view& rest) const {
    const auto kind = point_kind(field);
    if (!kind && !rest.empty() && rest.front() == '"') {
      auto glob = take_quoted(rest);
      if (!glob) return tl::unexpected(std::move(glob.error()));
      return check_word(field, std::move(*glob));
    }
    const std::string_view text = rest.substr(0, rest.find(','));
    rest.remove_prefix(text.size());
    if (text.empty()) return bad("a value is empty; write \"\" for an empty text");
    if ((kind || has_no_blanks(field)) && text.find(' ') != std::string_view::npos)
      return bad("terms are separate words, and no " + std::string{name_of(field)} + " has a blank in it");
    if (!kind) return check_word(field, Glob{std::string{text}, false});
    auto range = parse_range(text, *kind, now_);
    if (!range) return tl::unexpected(std::move(range.error()));
    return FilterValue{*range};
  }

  Result<FilterValue> check_word(FilterField field, Glob glob) const {
    if (field == FilterField::id && glob.pattern.starts_with("gid:"))
      return bad("id takes UUIDs, and '" + escaped(glob.pattern) +
                 "' is a Global ID; say id= with the UUID in it");
    const auto words = closed_words(field, fields_);
    const auto fits = [&](std::string_view word) { return glob_matches(glob, word); };
    if (!words.empty() && std::ranges::none_of(words, fits))
      return bad(
          with_nearest("there is no " + std::string{name_of(field)} + " '" + escaped(glob.pattern) + "'",
                       glob.pattern, words));
    return FilterValue{std::move(glob)};
  }

  std::span<const FilterField> fields_;
  WallTime now_;
};

Result<void> check_size(std::span<const std::string> words) {
  std::size_t bytes = 0;
  for (const std::string& word : words) bytes += word.size();
  if (bytes > kFilterBytesMax)
    return bad("the filter has more than " + std::to_string(kFilterBytesMax) + " bytes");
  if (words.size() > kFilterTermsMax)
    return bad("the filter has more than " + std::to_string(kFilterTermsMax) + " terms");
  return {};
}

}  // namespace

Result<Filter> parse_filter(std::span<const std::string> words, std::span<const FilterField> fields,
                            WallTime now) {
  if (auto size = check_size(words); !size) return tl::unexpected(std::move(size.error()));
  const TermParser parser{fields, now};
  Filter filter;
  std::size_t values = 0;
  for (const std::string& word : words) {
    auto term = parser.parse(word);
    if (!term) return bad("in '" + escaped(word) + "': " + term.error().message);
    values += term->values.size();
    if (values > kFilterValuesMax)
      return bad("the filter has more than " + std::to_string(kFilterValuesMax) + " values");
    filter.terms.push_back(std::move(*term));
  }
  return filter;
}

}  // namespace tenure::queue
