#include "quiet_pools.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

// It is no more than a word beside what the control database says.
constexpr std::chrono::seconds kQuietWaitMax{2};

}  // namespace

std::vector<QuietPool> quiet_pools_in(const json::Value& body) {
  std::vector<QuietPool> pools;
  for (const json::Value& pool : elements_in(body, "pools")) {
    const auto quiet = pool.member("quiet");
    if (quiet && quiet->type() == json::Type::object)
      pools.push_back({text_in(pool, "name"), text_in(*quiet, "since"), number_in(*quiet, "uid")});
  }
  return pools;
}

AskedPools ask_for_quiet_pools(Session& session) {
  const auto answer = try_to_ask_daemon(session, {.path = "/workers", .wait_max = kQuietWaitMax});
  if (!answer) return {.quiet = {}, .problem = escaped(answer.error().message, 1024)};
  return {.quiet = quiet_pools_in(answer->body()), .problem = {}};
}

std::string text_of(const QuietPool& pool) {
  return fmt::format("pool {} is quiet since {}, as uid {} has asked", escaped(pool.name),
                     escaped(pool.since), pool.uid);
}

std::string command_of(const QuietPool& pool) { return "tenure worker resume " + escaped(pool.name); }

}  // namespace tenure::cli
