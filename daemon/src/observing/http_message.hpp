#pragma once

#include <functional>
#include <string>

// A request and its answer, as far as whoever answers has to know; nothing here is of a library.
namespace tenure::daemon {

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // without what stands behind '?'
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string allow = {};  // the methods that there are, where it was another one
};

// Called on the listener's thread, once a request.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

}  // namespace tenure::daemon
