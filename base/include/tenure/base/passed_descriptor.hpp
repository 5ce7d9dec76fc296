#pragma once

#include <tenure/base/system.hpp>

#include <cstddef>
#include <span>
#include <string_view>

// A descriptor on its way to another process, beside bytes of a stream socket of the family AF_UNIX: unix(7), SCM_RIGHTS. Neither
// call waits. Threads: any, one at a time for each end of a socket.
namespace tenure {

struct SentBytes {
  int error = 0;  // errno; 0: some bytes went, and the descriptor with them
  std::size_t size = 0;
};
// `bytes` is not empty. The receiver gets a number of its own for what `descriptor` has open.
[[nodiscard]] SentBytes send_with_descriptor(int socket, std::string_view bytes, int descriptor);

struct ReceivedBytes {
  int error = 0;          // errno; EMFILE: a descriptor came and this process has none left for it
  std::size_t size = 0;   // 0 without an error: the other end is closed
  Descriptor descriptor;  // closed by exec; -1 where none came
};
[[nodiscard]] ReceivedBytes receive_with_descriptor(int socket, std::span<char> into);

}  // namespace tenure
