// The frames of the worker protocol, which the daemon reads from its workers and they from it. Any bytes are frames and the
// beginning of one, up to the first ProtocolViolation. How they are cut into reads makes no difference, reading what write_frame
// made of a frame is stable, and neither an announced length nor a count allocates anything.

#include "target.hpp"

#include <tenure/daemon/frames.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace tenure::fuzz {
namespace {

using daemon::Frame;
using daemon::FrameReader;

struct Read {
  std::vector<Frame> frames;
  std::string failure;
  std::size_t pending = 0;
  friend bool operator==(const Read&, const Read&) = default;
};

Read read_in_pieces(std::string_view bytes, std::size_t piece) {
  FrameReader reader;
  Read read;
  while (!bytes.empty()) {
    const std::size_t size = std::min(piece, bytes.size());
    reader.feed(bytes.substr(0, size));
    bytes.remove_prefix(size);
    for (;;) {
      auto frame = reader.next();
      if (!frame) {
        require(frame.error().code == ErrorCode::protocol_violation,
                "a refused frame is a ProtocolViolation");
        read.failure = frame.error().message;
        return read;
      }
      if (!*frame) break;
      read.frames.push_back(std::move(**frame));
    }
  }
  read.pending = reader.pending();
  return read;
}

std::string written(const std::vector<Frame>& frames) {
  std::string bytes;
  for (const Frame& frame : frames) daemon::write_frame(bytes, frame);
  return bytes;
}

// Whether there were frames, and none that was refused.
bool check(std::string_view bytes) {
  const Read whole = read_in_pieces(bytes, bytes.size());
  Read in_pieces = read_in_pieces(bytes, 7);
  require(in_pieces == whole, "a stream says the same however it is cut");

  const std::string again = written(whole.frames);
  const Read reread = read_in_pieces(again, again.size());
  require(reread.failure.empty() && reread.pending == 0, "what is written can be read");
  require(reread.frames.size() == whole.frames.size(), "as many frames are read as were written");
  require(written(reread.frames) == again, "writing what was read is stable");
  for (const Frame& frame : whole.frames)
    if (const auto* finished = std::get_if<daemon::FinishedFrame>(&frame))
      require(!name_of(finished->end.failure.code).empty(), "every error code has a name");
  return whole.failure.empty() && !whole.frames.empty();
}

// The bytes as one frame, so that a change of them reaches the fields and not the length alone.
std::string framed(std::string_view body) {
  std::string bytes;
  for (unsigned shift = 0; shift < 32; shift += 8)
    bytes += static_cast<char>(static_cast<unsigned char>(body.size() >> shift & 0xFFU));
  return bytes.append(body);
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 64UL * 1024, .for_each_byte = 64};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = tenure::fuzz::text_of(data, size);
  if (tenure::fuzz::check(bytes)) tenure::fuzz::accepted();
  if (size > 4) tenure::fuzz::check(tenure::fuzz::framed(bytes.substr(4)));
  return 0;
}
