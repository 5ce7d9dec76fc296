#include "row_filter.hpp"

#include "sqlite_reader.hpp"

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Few: see limits::kInternedMax. Index: none, the whole table.
constexpr Query kAllQueueNames{"all_queue_names", "select number, name from queue"};
constexpr Query kAllKindNames{"all_kind_names", "select number, name from kind"};
// Every generation of every tenant, for a pattern. Index: unique (name, generation), the whole of it.
constexpr Query kAllTenantNames{"all_tenant_names", "select number, coalesce(name, 'none') from tenant"};
// ?1 name. Index: unique (name, generation).
constexpr Query kTenantsNamed{"tenants_named", "select number from tenant where name = ?1"};

constexpr std::array kShownStates{ShownState::scheduled, ShownState::ready,   ShownState::blocked,
                                  ShownState::succeeded, ShownState::dead,    ShownState::discarded,
                                  ShownState::cancelled, ShownState::running, ShownState::held};

bool is_literal(const Glob& glob) {
  return glob.literal || glob.pattern.find_first_of("*?") == std::string::npos;
}

bool term_holds(const FilterTerm& term, std::string_view text) {
  const bool found = std::ranges::any_of(
      term.values, [&](const FilterValue& value) { return glob_matches(std::get<Glob>(value), text); });
  return found != term.negated;
}

void narrow_states(RowFilter& narrowed, const FilterTerm& term) {
  narrowed.any_state = false;
  for (const ShownState state : kShownStates)
    if (!term_holds(term, name_of(state))) narrowed.states &= ~bit_of(state);
}

void narrow_by_reason(RowFilter& narrowed, const FilterTerm& term) {
  narrowed.exact = false;
  if (!asks_for_held(term)) return;
  narrowed.any_state = false;
  narrowed.states &= bit_of(ShownState::held);
}

// The least range that holds all of the term's; exact if that is the only one.
void narrow_range(RowFilter& narrowed, RowFilter::Bounds& bounds, const FilterTerm& term) {
  if (term.negated || term.values.size() != 1) narrowed.exact = false;
  if (term.negated) return;
  RowFilter::Bounds hull{bounds.last, bounds.first};
  for (const FilterValue& value : term.values) {
    const auto& range = std::get<Range>(value);
    hull.first = std::min(hull.first, range.first.value_or(std::numeric_limits<std::int64_t>::min()));
    hull.last = std::max(hull.last, range.last.value_or(std::numeric_limits<std::int64_t>::max()));
  }
  bounds.first = std::max(bounds.first, hull.first);
  bounds.last = std::min(bounds.last, hull.last);
}

// age = now - created, so the ends change places.
FilterTerm created_by_age(const FilterTerm& term, WallTime now) {
  FilterTerm created{FilterField::created, term.negated, {}};
  const auto at = [&](const std::optional<std::int64_t>& age) {
    return age ? std::optional{to_us(now) - *age} : std::nullopt;
  };
  for (const FilterValue& value : term.values) {
    const auto& age = std::get<Range>(value);
    created.values.emplace_back(Range{at(age.last), at(age.first)});
  }
  return created;
}

// To the rows of these ids, where the term names them in full.
template <class Id>
void narrow_ids(RowFilter& narrowed, std::optional<std::vector<Id>>& ids, const FilterTerm& term) {
  narrowed.exact = false;
  if (term.negated || ids) return;
  std::vector<Id> named;
  for (const FilterValue& value : term.values) {
    const auto uuid = Uuid::parse(std::get<Glob>(value).pattern);
    if (!uuid) return;  // a pattern: every row has to be looked at
    named.push_back(Id{*uuid});
  }
  std::ranges::sort(named);
  named.erase(std::unique(named.begin(), named.end()), named.end());
  ids = std::move(named);
}

void narrow_by_term(RowFilter& narrowed, const FilterTerm& term, WallTime now) {
  switch (term.field) {
    case FilterField::state:
      narrow_states(narrowed, term);
      break;
    case FilterField::priority:
      narrow_range(narrowed, narrowed.priority, term);
      break;
    case FilterField::attempt:
      narrow_range(narrowed, narrowed.failures, term);
      break;
    case FilterField::crash:
      narrow_range(narrowed, narrowed.crashes, term);
      break;
    case FilterField::created:
      narrow_range(narrowed, narrowed.created, term);
      break;
    case FilterField::age:
      narrow_range(narrowed, narrowed.created, created_by_age(term, now));
      break;
    case FilterField::id:
      narrow_ids(narrowed, narrowed.ids, term);
      break;
    case FilterField::reason:
      narrow_by_reason(narrowed, term);
      break;
    case FilterField::batch:
      narrow_ids(narrowed, narrowed.batches, term);
      break;
    case FilterField::queue:
    case FilterField::kind:
    case FilterField::tenant:
      break;  // these need the tables of names
    case FilterField::generation:
    case FilterField::due:
    case FilterField::started:
    case FilterField::finished:
    case FilterField::error:
    case FilterField::name:
    case FilterField::scheduled:
    case FilterField::ready:
    case FilterField::held:
    case FilterField::running:
    case FilterField::dead:
    case FilterField::oldest:
    case FilterField::at:
    case FilterField::verb:
    case FilterField::login:
    case FilterField::host:
    case FilterField::subject:
    case FilterField::pool:
    case FilterField::process:
    case FilterField::pid:
    case FilterField::node:
    case FilterField::written:
      narrowed.exact = false;
      break;
  }
}

std::vector<const FilterTerm*> terms_of(const Filter& filter, FilterField field) {
  std::vector<const FilterTerm*> terms;
  for (const FilterTerm& term : filter.terms)
    if (term.field == field) terms.push_back(&term);
  return terms;
}

std::vector<std::int64_t> sorted(std::vector<std::int64_t> numbers) {
  std::ranges::sort(numbers);
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

// Of the rows (number, name) those for which all terms hold, or those for which one does not.
RowFilter::NumberList numbers_where(sqlite::Statement rows, const std::vector<const FilterTerm*>& terms,
                                    std::string_view placeholder) {
  const auto all_hold = [&](std::string_view name) {
    return std::ranges::all_of(terms, [&](const FilterTerm* term) { return term_holds(*term, name); });
  };
  RowFilter::NumberList list{.numbers = {}, .pass = !all_hold(placeholder)};
  while (rows.step())
    if (all_hold(rows.text(1)) == list.pass) list.numbers.push_back(rows.integer(0));
  list.numbers = sorted(std::move(list.numbers));
  return list;
}

bool only_literals(const FilterTerm& term) {
  return std::ranges::all_of(term.values,
                             [](const FilterValue& value) { return is_literal(std::get<Glob>(value)); });
}

// The usual case, which must not read the names of a hundred thousand tenants.
RowFilter::NumberList tenants_named(sqlite::Connection& connection, const FilterTerm& term) {
  std::vector<std::int64_t> numbers;
  for (const FilterValue& value : term.values) {
    const std::string& name = std::get<Glob>(value).pattern;
    if (name == "none") numbers.push_back(kUntenanted.value);
    auto row = connection.statement(kTenantsNamed);
    row.bind(name);
    while (row.step()) numbers.push_back(row.integer(0));
  }
  return {.numbers = sorted(std::move(numbers)), .pass = true};
}

void narrow_by_names(sqlite::Connection& connection, RowFilter& narrowed, const Filter& filter) {
  if (const auto terms = terms_of(filter, FilterField::queue); !terms.empty())
    narrowed.queues = numbers_where(connection.statement(kAllQueueNames), terms, "(queue 0 is missing)");
  if (const auto terms = terms_of(filter, FilterField::kind); !terms.empty())
    narrowed.kinds = numbers_where(connection.statement(kAllKindNames), terms, "(kind 0 is missing)");

  const auto tenants = terms_of(filter, FilterField::tenant);
  if (tenants.size() == 1 && !tenants.front()->negated && only_literals(*tenants.front()))
    narrowed.tenants = tenants_named(connection, *tenants.front());
  else if (!tenants.empty())
    narrowed.tenants = numbers_where(connection.statement(kAllTenantNames), tenants, "(tenant 0 is missing)");
}

bool holds(const RowFilter::Numbers& numbers, const sqlite::Statement& row, int column) {
  return !numbers || std::ranges::binary_search(numbers->numbers, row.integer(column)) == numbers->pass;
}

bool holds(const RowFilter::Bounds& bounds, const sqlite::Statement& row, int column) {
  return bounds.is_open() || bounds.holds(row.integer(column));
}

}  // namespace

bool RowFilter::passes_lane(const sqlite::Statement& row, int lane_column) const {
  return holds(tenants, row, lane_column + 2) && holds(queues, row, lane_column) &&
         holds(kinds, row, lane_column + 3) && holds(priority, row, lane_column + 1);
}

bool RowFilter::may_pass(const std::optional<JobState>& ended) const {
  if (any_state) return true;
  if (ended) return wants(static_cast<ShownState>(*ended));
  constexpr std::array kUnended{ShownState::scheduled, ShownState::ready, ShownState::blocked,
                                ShownState::running, ShownState::held};
  return std::ranges::any_of(kUnended, [this](ShownState state) { return wants(state); });
}

bool RowFilter::passes_row(const sqlite::Statement& row, int first_column) const {
  return holds(failures, row, first_column) && holds(crashes, row, first_column + 1) &&
         holds(created, row, first_column + 2);
}

RowFilter narrow(sqlite::Connection& connection, const Filter& filter, WallTime now) {
  RowFilter narrowed;
  for (const ShownState state : kShownStates) narrowed.states |= bit_of(state);
  for (const FilterTerm& term : filter.terms) narrow_by_term(narrowed, term, now);
  narrow_by_names(connection, narrowed, filter);
  return narrowed;
}

std::vector<const Query*> filter_queries() {
  return {&kAllQueueNames, &kAllKindNames, &kAllTenantNames, &kTenantsNamed};
}

}  // namespace tenure::queue
