#pragma once

#include <tenure/base/system.hpp>

#include <array>
#include <filesystem>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>

// Asking a daemon at its probe socket.
namespace tenure::testing {

// Not open: nobody listens.
[[nodiscard]] inline Descriptor connected_to(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return socket;
}

struct Answer {
  int status = 0;  // 0: nobody answers
  std::string body;
};

[[nodiscard]] inline Answer ask(const std::filesystem::path& socket_path, const std::string& path) {
  const Descriptor socket = connected_to(socket_path);
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: tenured\r\n\r\n";
  if (::send(socket.number(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; (size = ::recv(socket.number(), part.data(), part.size(), 0)) > 0;)
    text.append(part.data(), static_cast<std::size_t>(size));
  const std::size_t body = text.find("\r\n\r\n");
  if (body == std::string::npos) return {};
  return {std::stoi(text.substr(text.find(' '))), text.substr(body + 4)};
}

}  // namespace tenure::testing
