#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

// Where a daemon listens, as a setting says it: "unix:/run/tenure/probe.sock", "127.0.0.1:7421" or "[::1]:7421". Names of hosts are none:
// what they stand for is another program's to say. Threads: any.
namespace tenure::config {

struct ListenAddress {
  std::filesystem::path path;  // of a Unix socket; empty where it is an address of the network
  std::string host;            // an IP address without brackets
  std::uint16_t port = 0;      // 1 to 65535

  // Only this machine reaches it.
  [[nodiscard]] bool is_local() const;
  // As the setting says it.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// Bytes of the path of a Unix socket, which the kernel bounds.
inline constexpr std::size_t kSocketPathMax = 107;

// Nothing where the text is none.
[[nodiscard]] std::optional<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace tenure::config
