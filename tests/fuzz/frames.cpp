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

// Of a stream: its frames, written again, so that what this test holds is bounded by the bytes as well.
struct Read {
  std::string frames;
  std::size_t count = 0;
  std::string failure;
  std::size_t pending = 0;
  friend bool operator==(const Read&, const Read&) = default;
};

void note(Read& read, const Frame& frame) {
  if (const auto* finished = std::get_if<daemon::FinishedFrame>(&frame))
    require(!name_of(finished->end.failure.code).empty(), "every error code has a name");
  daemon::write_frame(read.frames, frame);
  ++read.count;
}

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
      note(read, **frame);
    }
  }
  read.pending = reader.pending();
  return read;
}

// Whether there were frames, and none that was refused.
bool check(std::string_view bytes) {
  const Read whole = read_in_pieces(bytes, bytes.size());
  const Read in_pieces = read_in_pieces(bytes, 7);
  require(in_pieces == whole, "a stream says the same however it is cut");

  const Read reread = read_in_pieces(whole.frames, whole.frames.size());
  require(reread.failure.empty() && reread.pending == 0, "what is written can be read");
  require(reread.count == whole.count, "as many frames are read as were written");
  require(reread.frames == whole.frames, "writing what was read is stable");
  return whole.failure.empty() && whole.count > 0;
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
