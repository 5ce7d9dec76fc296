#pragma once

#include "daemon_answer.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The pools for which an operator has asked that nothing be claimed. Only the daemon knows.
namespace tenure::cli {

struct QuietPool {
  std::string name;
  std::string since;  // as RFC 3339
  std::int64_t uid = 0;
};

// Of the daemon's answer to GET /workers.
[[nodiscard]] std::vector<QuietPool> quiet_pools_in(const json::Value& body);

struct AskedPools {
  std::vector<QuietPool> quiet;
  std::string problem;  // why the daemon has not said it; empty where it has
};
[[nodiscard]] AskedPools ask_for_quiet_pools(Session& session);

// "pool general is quiet since 2026-03-02T10:13:00Z, as uid 1000 has asked", printable.
[[nodiscard]] std::string text_of(const QuietPool& pool);
[[nodiscard]] std::string command_of(const QuietPool& pool);

// Of a job that nothing holds but that all pools that perform it are quiet: no store has it as a reason.
inline constexpr std::string_view kPoolQuiet = "pool_quiet";
inline constexpr std::string_view kPoolQuietText = "a pool that claims: all that perform it are quiet";
inline constexpr std::string_view kPoolQuietUntil = "an operator has one of them claim again";

}  // namespace tenure::cli
