#include "interned_names.hpp"

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 name. Index: unique names.
constexpr Query kQueueNumber{"queue_number", "select number from queue where name = ?1"};
constexpr Query kKindNumber{"kind_number", "select number from kind where name = ?1"};
// ?1 number. Index: primary key.
constexpr Query kQueueName{"queue_name", "select name from queue where number = ?1"};
constexpr Query kKindName{"kind_name", "select name from kind where number = ?1"};
// Numbers are given out one by one and never taken back. Index: primary key, its end.
constexpr Query kQueueCount{"queue_count", "select coalesce(max(number), 0) from queue"};
constexpr Query kKindCount{"kind_count", "select coalesce(max(number), 0) from kind"};
// ?1 name.
constexpr Query kAddQueue{"add_queue", "insert into queue(name) values (?1)"};
constexpr Query kAddKind{"add_kind", "insert into kind(name) values (?1)"};

const Query& pick(NameTable table, const Query& queue, const Query& kind) {
  return table == NameTable::queue ? queue : kind;
}

}  // namespace

std::string missing_name(NameTable table, std::int64_t number) {
  return (table == NameTable::queue ? "(queue " : "(kind ") + std::to_string(number) + " is missing)";
}

std::optional<std::int64_t> InternedNames::number(NameTable table, std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto& numbers = tables_[static_cast<std::size_t>(table)].numbers;
  const auto found = numbers.find(name);
  return found == numbers.end() ? std::nullopt : std::optional{found->second};
}

std::optional<std::string> InternedNames::name(NameTable table, std::int64_t number) const {
  const std::shared_lock lock(mutex_);
  const auto& names = tables_[static_cast<std::size_t>(table)].names;
  const auto found = names.find(number);
  return found == names.end() ? std::nullopt : std::optional{found->second};
}

void InternedNames::remember(NameTable table, std::string_view name, std::int64_t number) {
  const std::unique_lock lock(mutex_);
  auto& [numbers, names] = tables_[static_cast<std::size_t>(table)];
  numbers.emplace(name, number);
  names.emplace(number, name);
}

std::optional<std::int64_t> TransactionNames::number(NameTable table, std::string_view name) {
  if (const auto known = committed_.number(table, name)) return known;
  for (const Name& each : seen_)
    if (each.table == table && each.name == name) return each.number;
  auto statement = connection_.statement(pick(table, kQueueNumber, kKindNumber));
  if (!statement.bind(name).step()) return std::nullopt;
  seen_.push_back({table, std::string{name}, statement.integer(0)});
  return seen_.back().number;
}

std::string TransactionNames::name(NameTable table, std::int64_t number) {
  if (auto known = committed_.name(table, number)) return std::move(*known);
  for (const Name& each : seen_)
    if (each.table == table && each.number == number) return each.name;
  auto statement = connection_.statement(pick(table, kQueueName, kKindName));
  // No name that anybody could enqueue under: a damaged row's lane waits as one of an unknown kind, others go on.
  if (!statement.bind(number).step()) return missing_name(table, number);
  seen_.push_back({table, std::string{statement.text(0)}, number});
  return seen_.back().name;
}

std::int64_t TransactionNames::count(NameTable table) {
  return connection_.statement(pick(table, kQueueCount, kKindCount)).row().integer(0);
}

std::int64_t TransactionNames::add(NameTable table, std::string_view name) {
  connection_.statement(pick(table, kAddQueue, kAddKind)).bind(name).run();
  seen_.push_back({table, std::string{name}, connection_.last_insert_row()});
  return seen_.back().number;
}

std::vector<const Query*> name_queries() {
  return {&kQueueNumber, &kKindNumber, &kQueueName, &kKindName,
          &kQueueCount,  &kKindCount,  &kAddQueue,  &kAddKind};
}

}  // namespace tenure::queue
