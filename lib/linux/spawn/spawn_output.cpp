#include "linux/spawn/spawn_output.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "linux/socket/socket_address.hpp"

namespace vigil::os {
namespace {

using core::OutputTo;
using core::SpawnFailure;

constexpr int kJournalBuffer = 8 << 20;
constexpr timeval kJournalPatience{.tv_sec = 5, .tv_usec = 0};

Failure<SpawnFailure> failure(int error, std::string detail) {
    return {SpawnFailure{core::SpawnStage::open_output, error, std::move(detail)}};
}

Result<void, SpawnFailure> make_pipe(UniqueFd& reader, UniqueFd& writer, uid_t uid) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return failure(errno, "making the pipe for its output");
    reader.reset(ends[0]);
    writer.reset(ends[1]);
    // The flag belongs to this end only: the task's end blocks as any pipe does.
    if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
        return failure(errno, "making the pipe for its output non-blocking");
    // Its size stays what the kernel gives: larger ones for all tasks would use up pipe-user-pages-soft,
    // beyond which every new pipe of our user holds a page or two (pipe(7)). Fast writers get more from who
    // reads. Another user's process writes to it in any case; only opening it anew takes the right.
    if (uid != ::geteuid()) (void)::fchown(ends[1], uid, static_cast<gid_t>(-1));
    return {};
}

bool write_all(int fd, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t size = ::send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return false;
        done += static_cast<std::size_t>(size);
    }
    return true;
}

/// As sd_journal_stream_fd(3) does it.
Result<UniqueFd, SpawnFailure> connect_journal(const std::string& identifier, int priority,
                                               const std::string& path) {
    const auto address = socket_address(path);
    if (!address) return failure(ENAMETOOLONG, path);
    UniqueFd stream(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!stream) return failure(errno, "making a socket for the journal");
    (void)::setsockopt(stream.get(), SOL_SOCKET, SO_SNDTIMEO, &kJournalPatience, sizeof kJournalPatience);
    if (::connect(stream.get(), plain(*address), sizeof *address) != 0)
        return failure(errno, "output.to is \"journal\", and no journal answers at " + path);
    (void)::shutdown(stream.get(), SHUT_RD);
    (void)::setsockopt(stream.get(), SOL_SOCKET, SO_SNDBUF, &kJournalBuffer, sizeof kJournalBuffer);
    // Identifier, unit, priority, whether lines may begin with <priority>, and to whom else they go: syslog,
    // kernel log, console.
    if (!write_all(stream.get(), identifier + "\n\n" + std::to_string(priority) + "\n0\n0\n0\n0\n"))
        return failure(errno, "introducing the task to the journal at " + path);
    const timeval for_ever{};
    (void)::setsockopt(stream.get(), SOL_SOCKET, SO_SNDTIMEO, &for_ever, sizeof for_ever);
    return stream;
}

Result<void, SpawnFailure> open_journal(SpawnOutput& made, const core::TaskSpec& spec,
                                        const std::string& path) {
    constexpr int kInfo = 6;
    constexpr int kError = 3;
    auto out = connect_journal(spec.name, kInfo, path);
    if (!out) return Failure{out.error()};
    made.writer[0] = std::move(out).value();
    if (spec.launch->output.apart) {
        auto err = connect_journal(spec.name, kError, path);
        if (!err) return Failure{err.error()};
        made.writer[1] = std::move(err).value();
    }
    struct stat status {};
    const UniqueFd& second = made.writer[1] ? made.writer[1] : made.writer[0];
    if (::fstat(second.get(), &status) == 0)
        made.journal_stream = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
    return {};
}

}  // namespace

Result<SpawnOutput, SpawnFailure> open_output(const core::TaskSpec& spec, uid_t uid,
                                              const std::string& journal_socket) {
    SpawnOutput made;
    Result<void, SpawnFailure> done;
    switch (spec.launch->output.to) {
        case OutputTo::file:
            done = make_pipe(made.reader[0], made.writer[0], uid);
            if (done && spec.launch->output.apart) done = make_pipe(made.reader[1], made.writer[1], uid);
            break;
        case OutputTo::journal: done = open_journal(made, spec, journal_socket); break;
        case OutputTo::inherit:
        case OutputTo::null: break;
    }
    if (!done) return Failure{done.error()};
    return made;
}

}  // namespace vigil::os
