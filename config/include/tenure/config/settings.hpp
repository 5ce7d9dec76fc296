#pragma once

#include <tenure/base/limits.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

// Every setting of Tenure as plain values, with the defaults that a program without a configuration file has.
// Unit, limits and help of each stand once, in the tables of setting_table.cpp and listed_settings.cpp; the initialisers here are the
// only place of defaults. What is loaded by load_settings() is checked; what a program fills in by hand is
// not.
namespace tenure::config {

// What a second daemon does while another one holds the control database.
enum class WhenHeld : std::uint8_t { stand_by, exit };

// In place of a path: the one that goes with the control database.
inline constexpr std::string_view kAutomaticSocket = "auto";
inline constexpr std::string_view kAutomaticFolder = "auto";

enum class LogFormat : std::uint8_t { automatic, text, json };  // automatic: text on a terminal, else JSON

struct ApplicationSettings {
  std::string name = "tenure";  // the APP of every Global ID: gid://APP/MODEL/ID?tenant=NAME
  // What may wait in the calls of event loops of one client.
  std::int64_t waiting_jobs_max = 100'000;
  std::uint64_t waiting_bytes_max = 64ULL << 20U;  // of arguments
  std::int64_t waiting_ends_max = 100'000;
  friend bool operator==(const ApplicationSettings&, const ApplicationSettings&) = default;
};

struct DaemonSettings {
  std::string node;  // empty: the host's name
  std::chrono::milliseconds stop_deadline{std::chrono::seconds{25}};
  WhenHeld when_held = WhenHeld::stand_by;
  std::chrono::milliseconds ping_max{std::chrono::seconds{30}};
  std::filesystem::path control_socket = kAutomaticSocket;  // control_socket.hpp; empty: none
  std::uint64_t journal_size = 64UL << 20U;                 // bytes of memory; 0: none is kept
  friend bool operator==(const DaemonSettings&, const DaemonSettings&) = default;
};

struct StoreSettings {
  std::filesystem::path path = "/var/lib/tenure/control.db";
  sqlite::Durability durability = sqlite::Durability::durable;
  std::chrono::milliseconds poll{std::chrono::seconds{1}};
  std::uint64_t payload_max = limits::kPayloadDefault;  // bytes of an envelope without its seal
  friend bool operator==(const StoreSettings&, const StoreSettings&) = default;
};

struct TenantsSettings {
  std::string path = "/var/lib/tenure/tenants/%{bucket}/%{tenant}.db";  // a template, not yet a path
  std::filesystem::path migrations;                                     // empty: the application has none
  bool migrate_on_touch = false;       // jobs that wait for a migration start one
  std::int64_t descriptors_max = 256;  // of one worker process
  std::chrono::milliseconds handle_wait{std::chrono::seconds{2}};
  std::chrono::milliseconds undo_window{
      std::chrono::hours{7 * 24}};  // how long a deleted tenant's file is kept
  friend bool operator==(const TenantsSettings&, const TenantsSettings&) = default;
};

// Slots of a pool that are kept for jobs of that priority or better.
struct ReservedSlots {
  std::int64_t priority = 0;
  std::int64_t slots = 0;
  friend bool operator==(const ReservedSlots&, const ReservedSlots&) = default;
};

// One [[pool]]. Name and program are required; there is no default pool.
struct PoolSettings {
  std::string name;
  std::filesystem::path program;
  std::int64_t processes = 2;
  std::int64_t slots = 8;                                       // of one process
  std::chrono::milliseconds time_limit{std::chrono::hours{1}};  // of a run, where its kind states none
  std::int64_t jobs_max = 0;                   // of one process, which is then replaced; 0: no bound
  std::uint64_t memory_max = 1ULL << 30U;      // bytes, resident, of one process
  std::vector<std::string> queues{"default"};  // strict: an earlier one goes first
  std::vector<ReservedSlots> reserved;         // the best priority first
  std::vector<std::string> tenants;            // "acme", or "!acme" for all but these; empty: all
  friend bool operator==(const PoolSettings&, const PoolSettings&) = default;
};

// One [[schedule]], as it is written: what is wrong with it is said by the store's rules, so that one bad entry stops no other. Name and kind
// are required.
struct ScheduleSettings {
  std::string name;
  std::string kind;
  std::string queue = "default";
  std::int64_t priority = 0;
  std::int64_t attempts = 10;
  std::string cron;                    // empty: it has an interval
  std::chrono::milliseconds every{0};  // 0: it has cron
  std::string time_zone = "UTC";
  std::string arguments = "{}";
  std::string scope = "global";
  std::chrono::milliseconds spread{0};
  std::string catch_up = "latest";
  std::string overlap = "skip";
  friend bool operator==(const ScheduleSettings&, const ScheduleSettings&) = default;
};

// One [[limit]]: how many of those that it takes run at a time, or start in any stretch of time. The name is required, and one of the two.
struct LimitSettings {
  std::string name;
  std::string kind = "*";    // a pattern
  std::string queue = "*";   // the same
  std::string per;           // by what is counted separately: "tenant", "tenant,kind"; empty: all together
  std::int64_t running = 0;  // 0: no bound
  std::string rate;          // "100/1m"; empty: no bound
  friend bool operator==(const LimitSettings&, const LimitSettings&) = default;
};

// Where whoever watches the daemon asks it: `/health/...` and `/metrics`.
struct HttpSettings {
  std::string probe_listen;   // "unix:/run/tenure/probe.sock", "127.0.0.1:7421"; empty: nowhere
  bool allow_remote = false;  // an address that other machines reach may be listened on
  std::int64_t top_tenants = 10;
  std::int64_t connections_max = 64;
  friend bool operator==(const HttpSettings&, const HttpSettings&) = default;
};

struct LogSettings {
  log::Level level = log::Level::info;
  LogFormat format = LogFormat::automatic;
  std::filesystem::path file;  // empty: stderr
  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

// What is kept from those who only look.
struct SecuritySettings {
  // Where the keys that envelopes are sealed with are read from, never the keys themselves; empty: there is none (seal_keys.hpp).
  std::string seal_key;
  std::string seal_key_previous;
  std::vector<std::string>
      mask;  // patterns of names in arguments, besides those with password, token or secret
  friend bool operator==(const SecuritySettings&, const SecuritySettings&) = default;
};

// Capsules of runs, as operators ask for them.
struct ReplaySettings {
  std::filesystem::path folder = kAutomaticFolder;  // capsule_folder.hpp
  std::uint64_t capsule_max = 256ULL << 20U;        // bytes of one
  std::uint64_t folder_max = 4ULL << 30U;           // bytes of all of the folder together
  friend bool operator==(const ReplaySettings&, const ReplaySettings&) = default;
};

// How long jobs that have ended are kept.
struct RetentionSettings {
  std::chrono::milliseconds succeeded{std::chrono::hours{24}};
  std::chrono::milliseconds dead{std::chrono::hours{24 * 30}};
  std::int64_t dead_max = 100'000;
  std::chrono::milliseconds discarded{std::chrono::hours{24 * 7}};
  std::chrono::milliseconds cancelled{std::chrono::hours{24 * 7}};
  friend bool operator==(const RetentionSettings&, const RetentionSettings&) = default;
};

struct Settings {
  ApplicationSettings application;
  DaemonSettings daemon;
  StoreSettings store;
  TenantsSettings tenants;
  std::vector<PoolSettings> pools;
  std::vector<ScheduleSettings> schedules;
  std::vector<LimitSettings> limits;
  HttpSettings http;
  LogSettings log;
  SecuritySettings security;
  ReplaySettings replay;
  RetentionSettings retention;
  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace tenure::config
