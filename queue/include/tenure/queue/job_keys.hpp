#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

// The keys that a job may state when it is enqueued: which other jobs it does not run beside, and of which there is only one. A key is of
// its job's tenant: the same text is another key for each of them, and for the untenanted jobs, unless it is `is_global`. Threads: values.
namespace tenure {

// Of one key, in bytes: UTF-8 without control characters.
inline constexpr std::size_t kJobKeyMax = 200;
inline constexpr int kRunningMax = 10'000;

// At most `running_max` jobs that state this key run at a time; the others are blocked, reason limit_key, until one of them ends.
// It is compared when a job would start, so that jobs which state another number go by their own.
struct ConcurrencyKey {
  std::string key;         // 1 to 200 bytes
  int running_max = 1;     // 1 to 10,000
  bool is_global = false;  // one for all tenants
  friend bool operator==(const ConcurrencyKey&, const ConcurrencyKey&) = default;
};

// For how long nobody else can have a unique key. Stored: never renumber.
enum class UniqueUntil : std::uint8_t {
  ended = 1,    // until its job has succeeded, or is dead, discarded, cancelled or deleted
  started = 2,  // until its job is given to a worker process for the first time
};

// One job has it at a time: an enqueue under a key that is taken makes no job and answers with the id of the one that has it.
struct UniqueKey {
  std::string key;  // 1 to 200 bytes
  UniqueUntil until = UniqueUntil::ended;
  bool is_global = false;  // one for all tenants
  friend bool operator==(const UniqueKey&, const UniqueKey&) = default;
};

}  // namespace tenure
