#include <tenure/base/text.hpp>
#include <tenure/config/listen_address.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace tenure::config {
namespace {

constexpr std::string_view kUnix = "unix:";

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || rest != end || port == 0 || text.front() == '0') return std::nullopt;
  return port;
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(family, text.c_str(), bytes.data()) == 1;
}

std::optional<ListenAddress> unix_address(std::string_view path) {
  const bool is_usable = path.starts_with('/') && !path.ends_with('/') && path.size() <= kSocketPathMax &&
                         escaped(path, kSocketPathMax) == path;
  if (!is_usable) return std::nullopt;
  return ListenAddress{.path = path, .host = {}};
}

}  // namespace

bool ListenAddress::is_local() const {
  in_addr address{};
  if (!path.empty() || host == "::1") return true;
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24U == 127;
}

std::string ListenAddress::text() const {
  if (!path.empty()) return std::string(kUnix) + path.string();
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  if (text.starts_with(kUnix)) return unix_address(text.substr(kUnix.size()));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
  const auto port = port_of(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (has_brackets) host = host.substr(1, host.size() - 2);
  ListenAddress address{.path = {}, .host = std::string(host), .port = port.value_or(0)};
  if (!port || address.host.find('\0') != std::string::npos) return std::nullopt;
  if (!is_address(has_brackets ? AF_INET6 : AF_INET, address.host)) return std::nullopt;
  return address;
}

}  // namespace tenure::config
