#include <tenure/base/passed_descriptor.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace tenure {
namespace {

// Of one descriptor, aligned for its header.
union Control {
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
  cmsghdr header;
};

msghdr message_of(iovec& part, Control& control) {
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  return message;
}

Descriptor descriptor_in(msghdr& message) {
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return {};
  int number = -1;
  std::memcpy(&number, CMSG_DATA(header), sizeof number);
  return Descriptor{number};
}

}  // namespace

SentBytes send_with_descriptor(int socket, std::string_view bytes, int descriptor) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};  // NOLINT: it is read only
  Control control{};
  msghdr message = message_of(part, control);
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  while (true) {
    const ssize_t size = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) return {0, static_cast<std::size_t>(size)};
    if (errno != EINTR) return {errno, 0};
  }
}

ReceivedBytes receive_with_descriptor(int socket, std::span<char> into) {
  iovec part{into.data(), into.size()};
  Control control{};
  msghdr message = message_of(part, control);
  while (true) {
    const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return {errno, 0, {}};
    Descriptor descriptor = descriptor_in(message);
    const bool was_lost = (message.msg_flags & MSG_CTRUNC) != 0;
    return {was_lost ? EMFILE : 0, static_cast<std::size_t>(size), std::move(descriptor)};
  }
}

}  // namespace tenure
