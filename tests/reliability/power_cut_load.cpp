// What runs while the power is cut: a process that writes to a database on the doomed disk and tells a record, which is
// a file elsewhere, what it tries ("+ID") and what it was promised ("=ID"), one write() a line.
//   power_cut_load prepare DATABASE                        creates it
//   power_cut_load enqueue DATABASE RECORD NAME durable    inserts items from four threads for ever
//   power_cut_load enqueue DATABASE RECORD NAME ordered    ... and does not wait for the disk: the control run
//   power_cut_load claim   DATABASE RECORD                 claims and finishes items for ever, by ordered commits, and
//                                                          checkpoints ("c")
//   power_cut_load drain   DATABASE RECORD                 the same until nothing is left
#include "record.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/database.hpp>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tenure::reliability {
namespace {

using sqlite::Access;
using sqlite::Connection;
using sqlite::Database;
using sqlite::Durability;
using sqlite::Query;

constexpr int kThreads = 4;
constexpr std::int64_t kCheckpointBytes = 1L << 20U;  // often, so that cuts also hit checkpoints

constexpr Query kSchema{"schema", R"sql(
  create table item(seq integer primary key autoincrement, id text not null, steps_seen integer not null,
                    done integer not null default 0, payload blob not null);
  create index item_id on item(id);
  create index item_open on item(seq) where done = 0;
  create table claim(seq integer primary key);
  create table step(number integer primary key))sql"};
// An item knows how many ordered commits it came after: a cut that keeps it must keep those.
constexpr Query kInsert{"insert_item",
                        "insert into item(id, steps_seen, payload) "
                        "values(?1, coalesce((select max(number) from step), 0), randomblob(300))"};
constexpr Query kStep{"insert_step",
                      "insert into step(number) select coalesce(max(number), 0) + 1 from step"};
constexpr Query kNext{"next_item", "select seq from item where done = 0 order by seq limit 1"};
constexpr Query kClaim{"insert_claim", "insert into claim(seq) values(?1)"};
constexpr Query kRelease{"delete_claim", "delete from claim where seq = ?1"};
constexpr Query kReclaim{"delete_claims", "delete from claim"};
constexpr Query kFinish{"finish_item", "update item set done = 1 where seq = ?1"};

void enqueue(Database& database, const Record& record, const std::string& name, Durability durability) {
  for (std::int64_t number = 1;; ++number) {
    const std::string id = name + "." + std::to_string(number);
    record.tell('+', id);
    database.write(durability, [&](Connection& connection) { connection.statement(kInsert).bind(id).run(); });
    record.tell('=', id);
  }
}

void enqueue_from_threads(Database& database, const Record& record, const std::string& name,
                          Durability durability) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      try {
        enqueue(database, record, name + "." + std::to_string(thread), durability);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "enqueue: %s\n", error.what());
        ::_exit(1);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

std::optional<std::int64_t> claim_next(Database& database) {
  std::optional<std::int64_t> seq;
  database.write(Durability::ordered, [&](Connection& connection) {
    sqlite::Statement next = connection.statement(kNext);
    if (!next.step()) return;
    seq = next.integer(0);
    connection.statement(kClaim).bind(*seq).run();
    connection.statement(kStep).run();
  });
  return seq;
}

void finish(Database& database, std::int64_t seq) {
  database.write(Durability::ordered, [seq](Connection& connection) {
    connection.statement(kRelease).bind(seq).run();
    connection.statement(kFinish).bind(seq).run();
    connection.statement(kStep).run();
  });
}

void claim(Database& database, const Record& record, bool until_empty) {
  database.write(Durability::ordered, [](Connection& connection) { connection.statement(kReclaim).run(); });
  while (true) {
    if (const std::optional<std::int64_t> seq = claim_next(database)) finish(database, *seq);
    else if (until_empty) return;
    else std::this_thread::yield();
    if (database.bytes_to_checkpoint() < kCheckpointBytes) continue;
    if (database.checkpoint().frames_moved > 0) record.tell('c', "");
  }
}

int run(std::string_view role, const std::vector<std::string>& arguments) {
  if (role == "prepare") {
    Database database{arguments.at(0), {.connection = {.access = Access::create}, .writer_queue = true}};
    database.write(Durability::durable, [](Connection& connection) { connection.execute(kSchema); });
    return 0;
  }
  const Record record{arguments.at(1).c_str()};
  Database database{arguments.at(0), {.writer_queue = true}};
  if (role == "enqueue")
    enqueue_from_threads(database, record, arguments.at(2),
                         arguments.at(3) == "durable" ? Durability::durable : Durability::ordered);
  else if (role == "claim" || role == "drain") claim(database, record, role == "drain");
  else return 2;
  return 0;
}

}  // namespace
}  // namespace tenure::reliability

int main(int argc, char** argv) {
  try {
    return argc < 3 ? 2 : tenure::reliability::run(argv[1], {argv + 2, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "power_cut_load %s: %s\n", argv[1], error.what());
    return 1;
  }
}
