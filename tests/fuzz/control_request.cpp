// Requests of the control socket. Any line is one, or refused as a ProtocolViolation. What is taken keeps the limits of paths and
// members, and written as JSON again says the same.

#include "target.hpp"

#include <tenure/base/json.hpp>

#include <control/request.hpp>
#include <string>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 256UL * 1024, .for_each_byte = 64};

namespace {

using daemon::control::Request;

void write_texts(json::Writer& writer, std::string_view key, const Request::Texts& texts) {
  require(texts.size() <= daemon::control::kMembersMax, "no more members than the limit");
  writer.key(key).begin_object();
  for (const auto& [name, value] : texts) writer.key(name).string(value);
  writer.end_object();
}

std::string written(const Request& request) {
  std::string line;
  json::Writer writer(line);
  writer.begin_object().key("method").string(name_of(request.method)).key("path").string(request.path);
  write_texts(writer, "query", request.query);
  write_texts(writer, "body", request.body);
  writer.end_object();
  return line;
}

}  // namespace
}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto request = daemon::control::parse_request(fuzz::text_of(data, size));
  if (!request) {
    fuzz::check_refusal(request.error(), ErrorCode::protocol_violation);
    return 0;
  }
  fuzz::accepted();
  fuzz::require(request->path.starts_with('/') && request->path.size() <= daemon::control::kTargetMax,
                "a path of the limit at most");
  const std::string line = fuzz::written(*request);
  // Escapes may take more bytes than the characters that came.
  if (line.size() <= daemon::control::kRequestMax)
    fuzz::require(daemon::control::parse_request(line) == *request, "written again it says the same");
  return 0;
}
