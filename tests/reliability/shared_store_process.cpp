// One process of shared_store_test: writes to a database that other processes write to as well.
//   shared_store_process enqueue DATABASE BOARD NUMBER WRITES   durable writes from eight threads, WRITES in
//   all shared_store_process claim   DATABASE BOARD NUMBER          ordered writes, one after the other,
//   until told to stop shared_store_process held    DATABASE BOARD NUMBER          one durable write, whose
//   sync is held back
#include "reliability/board.hpp"
#include "support/shim_vfs.hpp"

#include <tenure/base/sqlite/database.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <thread>
#include <vector>

namespace tenure::reliability {
namespace {

using sqlite::Connection;
using sqlite::Database;
using sqlite::Durability;
using sqlite::Query;

constexpr int kThreads = 8;
constexpr int kNobody = -1;
constexpr Query kInsert{"insert_item", "insert into item(process) values(?1)"};

void insert(Database& database, Durability durability, int number) {
  database.write(durability,
                 [number](Connection& connection) { connection.statement(kInsert).bind(number).run(); });
}

void enqueue(Database& database, Board& board, int number, std::int64_t writes) {
  std::vector<std::thread> threads;
  board.line_up();
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      try {
        while (!board.stop) {
          insert(database, Durability::durable, number);
          board.commits[number] = database.counters().commits;
          if (++board.writes[number] == writes) board.finish();
        }
      } catch (const std::exception& error) {
        std::fprintf(stderr, "process %d: %s\n", number, error.what());
        ++board.errors;
        board.stop = true;
      }
    });
  for (std::thread& thread : threads) thread.join();
}

void claim(Database& database, Board& board, int number) {
  board.line_up();
  while (!board.stop) {
    insert(database, Durability::ordered, number);
    ++board.commits[number];
    ++board.writes[number];
  }
}

int run(std::string_view role, const std::string& file, Board& board, int number, std::int64_t writes) {
  const testing::ShimVfs vfs{[&](const testing::ShimVfs::Event& event) {
    if (role != "held" || !board.go || event.call != testing::ShimVfs::Call::sync) return 0;
    board.sync_held = true;
    while (!board.release_sync) std::this_thread::yield();
    return 0;
  }};
  Database database{file, {.writer_queue = true}};
  if (role == "enqueue") enqueue(database, board, number, writes);
  if (role == "claim") claim(database, board, number);
  if (role == "held") {
    // A new WAL's first commit syncs its header under the lock, which guards against writes that reach the disk out of
    // order. It happens once for each time that the WAL begins anew, and is not what this is about.
    insert(database, Durability::ordered, kNobody);
    board.line_up();
    insert(database, Durability::durable, number);
    ++board.writes[number];
  }
  return 0;
}

}  // namespace
}  // namespace tenure::reliability

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that was stopped leaves nobody waiting
  const tenure::reliability::SharedBoard board{argv[3]};
  try {
    return tenure::reliability::run(argv[1], argv[2], *board, std::stoi(argv[4]),
                                    argc > 5 ? std::stoll(argv[5]) : 0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[1], error.what());
    ++board->errors;
    board->stop = true;
    return 1;
  }
}
