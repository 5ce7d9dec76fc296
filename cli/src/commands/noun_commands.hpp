#pragma once

#include "../commands.hpp"

#include <cstddef>
#include <span>
#include <string_view>

// The rows of the table: a function and a file for each noun, and what rows of several nouns share.
namespace tenure::cli {

inline constexpr std::string_view kListOptions = "limit after sort columns fail-if-any watch";
inline constexpr std::size_t kMany = kArgumentsMax;

[[nodiscard]] std::span<const Verb> job_commands();
[[nodiscard]] std::span<const Verb> tenant_commands();
[[nodiscard]] std::span<const Verb> queue_commands();
[[nodiscard]] std::span<const Verb> kind_commands();
[[nodiscard]] std::span<const Verb> worker_commands();
[[nodiscard]] std::span<const Verb> schedule_commands();
[[nodiscard]] std::span<const Verb> batch_commands();
[[nodiscard]] std::span<const Verb> fan_out_commands();
[[nodiscard]] std::span<const Verb> limit_commands();
[[nodiscard]] std::span<const Verb> store_commands();
[[nodiscard]] std::span<const Verb> replay_commands();
[[nodiscard]] std::span<const Verb> config_commands();

}  // namespace tenure::cli
