#include "plain_starter.hpp"

#include "workload.hpp"

#include <cstdint>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace tenure::bench {
namespace {

constexpr std::string_view kRole = "plain-starter";

void play(const std::filesystem::path& database, const std::filesystem::path& wake,
          const std::filesystem::path& starts) {
  const auto open = open_yardstick(database, YARDSTICK_NORMAL);
  const int in = ::open(wake.c_str(), O_RDWR | O_CLOEXEC);
  const int out = ::open(starts.c_str(), O_RDWR | O_CLOEXEC);
  std::int64_t word = 0;
  while (::read(in, &word, sizeof word) == sizeof word) {
    std::int64_t claimed = 0;
    if (yardstick_claim(open.get(), &claimed, 1) != 1) throw std::runtime_error("a hint without a job");
    const std::int64_t now_us = steady_us();
    if (::write(out, &now_us, sizeof now_us) != sizeof now_us) return;
    yardstick_finish(open.get(), &claimed, 1);
  }
}

}  // namespace

Child start_plain_starter(const std::filesystem::path& database, const NamedPipe& wake,
                          const NamedPipe& starts, const std::filesystem::path& log) {
  return Child{
      {own_program(), std::string{kRole}, database.string(), wake.path().string(), starts.path().string()},
      log};
}

bool was_plain_starter(const Options& options) {
  if (options.rest.size() != 4 || options.rest[0] != kRole) return false;
  play(options.rest[1], options.rest[2], options.rest[3]);
  return true;
}

}  // namespace tenure::bench
