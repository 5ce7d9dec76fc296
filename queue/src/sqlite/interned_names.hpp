#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/types.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// The numbers of queues and kinds. Names are never deleted, so what was committed once may be remembered for ever. Internal.
namespace tenure::queue {

enum class NameTable : std::uint8_t { queue, kind };

// Threads: every method from any thread.
class InternedNames {
 public:
  [[nodiscard]] std::optional<std::int64_t> number(NameTable table, std::string_view name) const;
  [[nodiscard]] std::optional<std::string> name(NameTable table, std::int64_t number) const;
  // Only for what is committed.
  void remember(NameTable table, std::string_view name, std::int64_t number);

 private:
  struct Table {
    std::map<std::string, std::int64_t, std::less<>> numbers;
    std::unordered_map<std::int64_t, std::string> names;
  };
  mutable std::shared_mutex mutex_;
  std::array<Table, 2> tables_;
};

// What stands for a name that the file has lost: a text that is none.
[[nodiscard]] std::string missing_name(NameTable table, std::int64_t number);

// The names as one transaction sees them: those remembered, those read, and those it made itself, which are remembered
// after its commit and forgotten without one.
class TransactionNames {
 public:
  TransactionNames(sqlite::Connection& connection, const InternedNames& committed)
      : connection_(connection), committed_(committed) {}

  [[nodiscard]] std::optional<std::int64_t> number(NameTable table, std::string_view name);
  // For a number that a row of ours holds. Where the file has lost its name, a text that is no name.
  [[nodiscard]] std::string name(NameTable table, std::int64_t number);
  // How many there are.
  [[nodiscard]] std::int64_t count(NameTable table);
  // For a name that number() does not know.
  std::int64_t add(NameTable table, std::string_view name);

  struct Name {
    NameTable table;
    std::string name;
    std::int64_t number;
  };
  // What this transaction read or made.
  [[nodiscard]] std::vector<Name> take_seen() { return std::move(seen_); }

 private:
  sqlite::Connection& connection_;
  const InternedNames& committed_;
  std::vector<Name> seen_;
};

[[nodiscard]] std::vector<const sqlite::Query*> name_queries();

}  // namespace tenure::queue
