#include "jobs.hpp"

#include <tenure/jobs/client.hpp>
#include <tenure/jobs/context.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace tenure::testing {
namespace {

std::string said(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

bool does(std::string_view what) { return said("PAY_DOES") == what; }

// What a service elsewhere would see of it.
std::int64_t ask_outside(const std::string& what) {
  std::ofstream(said("OUTSIDE"), std::ios::app) << what << '\n';
  return does("other-rate") ? 118 : 117;
}

void connect_to(const sockaddr* address, socklen_t size) {
  const int made = ::socket(address->sa_family, SOCK_STREAM, 0);
  if (made < 0 || ::connect(made, address, size) != 0)
    throw std::system_error(errno, std::generic_category(), "no way to the service");
  ::close(made);
}

void connect_to_port() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(said("LIVE_PORT"))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

void connect_to_socket() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = said("LIVE_SOCKET");
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size() + 1, sizeof address.sun_path - 1));
  connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

// By a cache of its own, past everything that a replay hands to the handler.
void open_other_database() {
  HandleCache handles(TenantFiles(said("LIVE_TENANTS")), {.application = "test"});
  static_cast<void>(value_or_raise(handles.acquire(TenantName{"bolt"}, Generation{})));
}

void hang() {
  std::ofstream(said("HANGS") + ".new") << ::getpid() << '\n';
  std::rename((said("HANGS") + ".new").c_str(), said("HANGS").c_str());
  while (true) ::poll(nullptr, 0, -1);
}

void reach_out() {
  if (does("client")) static_cast<void>(Client::open(said("LIVE_CONFIG")));
  if (does("other-database")) open_other_database();
  if (does("network")) connect_to_port();
  if (does("control")) connect_to_socket();
  if (does("crash")) ::raise(SIGSEGV);
  if (does("exit")) std::_Exit(0);
  if (does("hang")) hang();
}

void pay(const Pay& job, JobContext& context) {
  std::printf("pay begins\n");
  if (does("tell-variables"))
    std::printf("configured by %s, store '%s', worker '%s'\n", said("TENURE_CONFIG").c_str(),
                said("TENURE_STORE_PATH").c_str(), said("TENURE_WORKER_REPLAY_CAPSULE").c_str());
  if (does("other-order")) static_cast<void>(context.recorded("fee", [] { return ask_outside("fee"); }));
  const std::int64_t rate = context.recorded("rate", [] { return ask_outside("rate"); });
  if (!does("other-order") && !does("asks-less"))
    static_cast<void>(context.recorded("fee", [] { return ask_outside("fee"); }));
  if (does("asks-more"))
    static_cast<void>(context.recorded("discount", [] { return ask_outside("discount"); }));
  pay_at_rate(rate);
  context.once("mark paid", [&](JobTransaction& transaction) {
    transaction.execute("update invoice set paid_at = ?, rate = ? where id = ?", context.now(),
                        does("other-line") ? rate + 1 : rate, job.invoice);
    transaction.enqueue(Tell{does("other-job") ? "something else" : "paid"});
  });
  if (does("alters"))
    context.write([](TenantTransaction& transaction) {
      transaction.execute("alter table invoice add column more text");
    });
  std::printf("between the steps\n");
  reach_out();
  const auto number = static_cast<std::int64_t>(context.random().below(1'000'000'000));
  context.once("log", [&](JobTransaction& transaction) {
    transaction.execute("insert into line (id, number) values (1, ?)", number);
  });
  std::printf("pay ends\n");
  if (does("busy")) raise(ErrorCode::tenant_busy, "somebody else has it");
  if (!does("mended")) throw std::runtime_error("no answer from the bank");
}

}  // namespace

// Not inlined, since a debugger stops in it.
extern "C" __attribute__((noinline)) void pay_at_rate(std::int64_t rate) {
  std::printf("the rate is %ld\n", static_cast<long>(rate));
}

void add_jobs(JobRegistry& jobs) {
  jobs.add<Pay>(pay);
  if (!does("no-handler")) jobs.add<Tell>([](const Tell&, JobContext&) {});
}

}  // namespace tenure::testing
