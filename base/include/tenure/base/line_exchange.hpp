#pragma once

#include <tl/expected.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

// One line to whoever listens at a unix socket, and one line back. Threads: any.
namespace tenure {

struct LineExchange {
  std::chrono::milliseconds wait_max{std::chrono::seconds{10}};  // for all of it
  std::size_t answer_max = 16UL << 20U;                          // bytes
};

struct FailedExchange {
  enum class Why : std::uint8_t {
    nobody_listens,  // there is no socket, or nobody at it
    not_permitted,
    no_answer,  // in time, or not a whole one
    too_long,
    failed,
  };
  Why why = Why::failed;
  std::string text;  // of the system: "Connection refused"
};

// The answer without its line's end. `line` has none.
[[nodiscard]] tl::expected<std::string, FailedExchange> exchange_line(const std::filesystem::path& socket,
                                                                      std::string_view line,
                                                                      const LineExchange& bounds = {});

}  // namespace tenure
