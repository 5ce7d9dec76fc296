#pragma once

#include "session.hpp"

#include <tenure/base/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What `tenure top` shows, as values: rates, delays and slots as the daemon tells them, the rest from the control database.
namespace tenure::cli {

struct TopPicture {
  // What only a daemon that runs knows.
  struct Daemon {
    std::string version, node;
    std::int64_t pid = 0;
    std::chrono::milliseconds up{0};
    double in = 0, out = 0, failed = 0;  // a second
    std::int64_t starts = 0;
    std::optional<std::chrono::milliseconds> delay_p50, delay_p99;
  };
  struct Pool {
    std::string name;
    std::int64_t busy = 0, slots = 0;
    bool is_quiet = false;
    std::int64_t reserved = 0;  // slots that are kept for some priority or better
  };
  struct Tenant {
    std::string name;
    std::int64_t ready = 0, running = 0;
    std::optional<std::chrono::milliseconds> oldest;
    std::optional<double> share;  // of all slot time; nothing: not told
  };
  struct Queue {
    std::string name;
    std::int64_t ready = 0, running = 0;
    std::optional<std::chrono::milliseconds> oldest;
  };
  struct Kind {
    std::string name;
    std::int64_t running = 0;
    std::optional<std::chrono::milliseconds> p99;
  };
  struct Worker {
    std::int64_t process = 0, pid = 0;
    std::string pool, state;
    std::int64_t performing = 0, slots = 0, memory_bytes = 0;
    std::chrono::milliseconds up{0};
  };

  WallTime at{};
  std::optional<Daemon> daemon;
  std::string problem;                                // why there is none
  std::optional<std::int64_t> size_bytes, wal_bytes;  // of the control database
  std::vector<Pool> pools;
  std::vector<Tenant> tenants;
  std::vector<Queue> queues;
  std::vector<Kind> kinds;
  std::vector<Worker> workers;
};

// Asks both. Without a daemon it says why, and has what the control database knows.
[[nodiscard]] TopPicture take_top_picture(Session& session);

// tenure.top/1
[[nodiscard]] std::string top_json(const TopPicture& picture);

}  // namespace tenure::cli
