// Compares a database with the record of what its writers tried and were promised (power_cut_load.cpp).
//   power_cut_check DATABASE RECORD [final]
// Prints the verdict's first half and `checkpoints=N`. `final` also counts what is still not done, after a quiet phase.
// Exit: 0 all is well; 1 something is lost, unexpected, duplicated or stuck; 3 the database is damaged.
#include "record.hpp"

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

struct Verdict {
  std::int64_t attempted = 0, acknowledged = 0, lost = 0, unexpected = 0, duplicated = 0, stuck = 0,
               checkpoints = 0;

  [[nodiscard]] bool good() const { return lost + unexpected + duplicated + stuck == 0; }
};

// Names the first ones, for whoever has to find out why.
void count(std::int64_t& counter, const char* word, const std::string& what) {
  constexpr std::int64_t kNamedMax = 3;
  if (++counter <= kNamedMax) std::fprintf(stderr, "%s: %s\n", word, what.c_str());
}

Verdict judge(Connection& connection, const Recorded& record, bool final) {
  std::unordered_map<std::string, std::int64_t> stored;
  {
    Statement ids = connection.statement(kIds);
    while (ids.step()) stored.emplace(ids.text(0), ids.integer(1));
  }
  Verdict verdict{.attempted = static_cast<std::int64_t>(record.attempted.size()),
                  .acknowledged = static_cast<std::int64_t>(record.acknowledged.size()),
                  .checkpoints = record.checkpoints};
  for (const std::string& id : record.acknowledged)
    if (!stored.contains(id)) count(verdict.lost, "lost", id);
  for (const auto& [id, copies] : stored) {
    if (!record.attempted.contains(id)) count(verdict.unexpected, "unexpected", id);
    if (copies > 1) count(verdict.duplicated, "duplicated", id);
  }
  const std::int64_t holes = connection.statement(kHoles).row().integer(0);
  if (holes > 0)
    count(verdict.unexpected, "unexpected",
          "ordered commits missing before others: " + std::to_string(holes));
  const std::int64_t torn = connection.statement(kTorn).row().integer(0);
  if (torn > 0) count(verdict.unexpected, "unexpected", "claims without their item: " + std::to_string(torn));
  if (final) verdict.stuck = connection.statement(kOpen).row().integer(0);
  return verdict;
}

int run(const char* database, const char* record, bool final) {
  Connection connection{database, {}};
  const std::string integrity{connection.statement(kIntegrity).row().text(0)};
  if (integrity != "ok") {
    std::fprintf(stderr, "power_cut_check: %s\n", integrity.c_str());
    return 3;
  }
  const Verdict verdict = judge(connection, Recorded{record}, final);
  std::printf(
      "attempted=%ld acknowledged=%ld lost=%ld unexpected=%ld duplicated=%ld stuck=%ld wrong-tenant=0\n",
      verdict.attempted, verdict.acknowledged, verdict.lost, verdict.unexpected, verdict.duplicated,
      verdict.stuck);
  std::printf("checkpoints=%ld\n", verdict.checkpoints);
  return verdict.good() ? 0 : 1;
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
