// Compares a database with the record of what its writers tried and were promised (power_cut_load.cpp).
//   power_cut_check DATABASE RECORD [final]
// Prints the verdict's first half, `checkpoints=N` and `bookkeeping=N`. `final` also counts what is still not done, after a quiet phase.
// Exit: 0 all is well; 1 something is lost, unexpected, duplicated or stuck; 3 the database is damaged.
#include "record.hpp"
#include "verdict.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/statement.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tenure::reliability {
namespace {

using sqlite::Connection;
using sqlite::Query;
using sqlite::Statement;

constexpr Query kIntegrity{"integrity_check", "pragma integrity_check"};
constexpr Query kIds{"ids", "select id, count(*) from item group by id"};
constexpr Query kOpen{"open_items", "select count(*) from item where done = 0"};
// Ordered commits go as a suffix: no hole among those that are left, and none missing that a kept item came after.
constexpr Query kHoles{"missing_steps", R"sql(
  select max(coalesce(max(number), 0), (select coalesce(max(steps_seen), 0) from item)) - count(*) from step)sql"};
// A claim and the finish that ends it are one commit each.
constexpr Query kTorn{"torn_claims", R"sql(
  select count(*) from claim left join item using(seq) where item.seq is null or item.done = 1)sql"};

Verdict judge(Connection& connection, const Recorded& record, bool final) {
  std::unordered_map<std::string, std::int64_t> stored;
  {
    Statement ids = connection.statement(kIds);
    while (ids.step()) stored.emplace(ids.text(0), ids.integer(1));
  }
  Verdict verdict = judge(stored, record);
  const std::int64_t holes = connection.statement(kHoles).row().integer(0);
  if (holes > 0)
    verdict.count(verdict.unexpected, "unexpected",
                  "ordered commits missing before others: " + std::to_string(holes));
  const std::int64_t torn = connection.statement(kTorn).row().integer(0);
  if (torn > 0)
    verdict.count(verdict.unexpected, "unexpected", "claims without their item: " + std::to_string(torn));
  if (final) verdict.stuck = connection.statement(kOpen).row().integer(0);
  return verdict;
}

int run(const char* database, const char* record_file, bool final) {
  Connection connection{database, {}};
  const std::string integrity{connection.statement(kIntegrity).row().text(0)};
  if (integrity != "ok") {
    std::fprintf(stderr, "power_cut_check: %s\n", integrity.c_str());
    return 3;
  }
  const Recorded record{record_file};
  const Verdict verdict = judge(connection, record, final);
  verdict.print(record);
  return verdict.is_good() ? 0 : 1;
}

}  // namespace
}  // namespace tenure::reliability

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  try {
    return tenure::reliability::run(argv[1], argv[2], argc > 3 && std::string_view{argv[3]} == "final");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "power_cut_check: %s\n", error.what());
    return 3;
  }
}
