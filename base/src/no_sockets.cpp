#include <tenure/base/error.hpp>
#include <tenure/base/no_sockets.hpp>
#include <tenure/base/system.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tenure {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kProcessor = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kProcessor = AUDIT_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::uint32_t kProcessor = AUDIT_ARCH_RISCV64;
#else
constexpr std::uint32_t kProcessor = 0;
#endif

[[noreturn]] void cannot(const std::string& why) {
  raise(ErrorCode::bad_configuration,
        "sockets cannot be refused here, so that a replay could reach what is in use: " + why);
}

}  // namespace

// A program for the kernel: of this processor's own calls, socket() alone is refused. Bit 30 marks the other numbering of x86.
void refuse_new_sockets(NoSocketsOf whom) {
  if (kProcessor == 0) cannot("the processor is not known");
  constexpr std::uint32_t kWithoutMark = ~(1U << 30U);
  std::array<sock_filter, 7> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kProcessor, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kWithoutMark),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
  }};
  const sock_fprog given{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) cannot(system_text(errno));
  const unsigned flags = whom == NoSocketsOf::process ? SECCOMP_FILTER_FLAG_TSYNC : 0U;
  const long refused = ::syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &given);
  if (refused > 0) cannot("a thread has rules of its own");
  if (refused != 0) cannot(system_text(errno));
}

}  // namespace tenure
