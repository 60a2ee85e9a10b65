#include "control/server.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <new>
#include <utility>

#include "base/text.hpp"
#include "control/room.hpp"
#include "linux/self/spare_memory.hpp"
#include "protocol/rpc.hpp"
#include "protocol/task_event.hpp"

namespace vigil::daemon {
namespace {

/// What all clients together may have left unread when the daemon goes on as another program.
constexpr std::size_t kMostCarried = std::size_t{64} << 20;
/// Clients taken in one turn of the loop, at most and within this time. The kernel's queue is one for all
/// users: who is behind a flood waits for as long as it takes to get through it.
constexpr int kAcceptsPerTurn = 256;
constexpr auto kAcceptTime = std::chrono::milliseconds(2);
/// Of those, when all seats are taken, from one user; further ones are told to come again, which costs a
/// tenth.
constexpr int kSeatsPerTurn = 64;

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

ControlServer::ControlServer(os::UnixListener listener, World world)
    : world_(std::move(world)),
      listener_(std::move(listener)),
      methods_(
          world_,
          [this](SessionId id) {
              const auto session = sessions_.find(id);
              return session == sessions_.end() ? nullptr : session->second.get();
          },
          [this] { arm_timer(); }),
      watch_(std::make_unique<Watch>(world_.loop, listener_.fd(), [this](int) { accept(); })),
      timer_(world_.loop, [this] {
          methods_.expire(clock_now());
          arm_timer();
      }) {
    watch_->interest(UV_READABLE);
}

void ControlServer::accept() {
    const auto until = clock_now() + kAcceptTime;
    seats_given_.clear();
    for (int i = 0; i < kAcceptsPerTurn && (i == 0 || clock_now() < until); ++i) {
        UniqueFd fd(::accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd) {
            try {
                const os::spare_memory::Untouched untouched;
                open_session(std::move(fd));
            } catch (const std::bad_alloc&) {
                ++world_.dropped.clients_refused;
            }
            continue;
        }
        if (errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS) return;
        // Without a descriptor the client would stay in the queue and wake us for ever.
        world_.log->warn("no descriptor for another control client; dropping the one that is idle longest");
        if (!make_room(world_.access.owner)) {
            watch_->interest(0);
            timer_.arm(clock_now() + std::chrono::milliseconds(100));
        }
        return;
    }
}

void ControlServer::open_session(UniqueFd fd) {
    if (sessions_.size() >= kMaxClients && !has_room_for(fd.get())) {
        ++world_.dropped.clients_refused;
        const std::string line =
            error_line({}, {.code = protocol::ErrorCode::busy,
                            .message = "too many clients are connected; try again later"});
        (void)::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return;
    }
    auto peer = os::peer_of(fd.get());
    if (!peer) return;
    Session& session = add_session(std::move(fd), std::move(peer).value());
    if (held_) session.hold(true);
}

Session& ControlServer::add_session(UniqueFd fd, os::Peer peer) {
    const SessionId id{++last_session_};
    Session::Port port{.request = [this](Session& from, std::string_view line) { request(from, line); },
                       .line_too_long = [this](Session& from) { line_too_long(from); },
                       .over = [this](Session& from) { close(from); }};
    const auto added = sessions_.emplace(
        id, std::make_unique<Session>(world_.loop, id, std::move(fd), std::move(peer), std::move(port)));
    methods_.count_clients(sessions_.size());
    return *added.first->second;
}

/// To go through while any of them may end.
std::vector<Session*> ControlServer::all_sessions() {
    std::vector<Session*> all;
    for (const auto& [id, session] : sessions_) all.push_back(session.get());
    return all;
}

bool ControlServer::has_room_for(int fd) {
    const auto uid = os::peer_uid(fd);
    if (!uid) return false;
    auto given = std::find_if(seats_given_.begin(), seats_given_.end(),
                              [&](const auto& entry) { return entry.first == *uid; });
    if (given == seats_given_.end()) given = seats_given_.insert(given, {*uid, 0});
    return ++given->second <= kSeatsPerTurn && make_room(*uid);
}

bool ControlServer::make_room(uid_t newcomer) {
    std::vector<Seat> seats;
    seats.reserve(sessions_.size());
    for (const auto& [id, session] : sessions_)
        seats.push_back({.uid = session->peer().uid,
                         .idle = session->idle(),
                         .last_active = session->last_active(),
                         .unread_since = session->unread_since()});
    const auto chosen = who_makes_room(seats, newcomer, clock_now());
    if (!chosen) return false;
    ++world_.dropped.clients_dropped;
    std::next(sessions_.begin(), static_cast<std::ptrdiff_t>(*chosen))->second->drop();
    return true;
}

void ControlServer::close(Session& session) {
    if (session.out_of_memory()) {
        ++world_.dropped.clients_dropped;
        world_.log->error("out of memory for a request of uid {}, pid {}; its connection is dropped",
                          session.peer().uid, session.peer().pid);
    }
    const SessionId id = session.id();
    if (session.promised() != 0) methods_.forget(id);
    // Its own callback may be on the stack. Nothing here needs memory until it is in the other list.
    ended_.insert(sessions_.extract(id));
    methods_.count_clients(sessions_.size());
    // An order may have been given already, and nothing of it done yet.
    const bool turn = session.out_of_memory();
    world_.loop.defer([this, turn] {
        ended_.clear();
        if (turn) world_.turn();
    });
}

void ControlServer::line_too_long(Session& session) {
    ++world_.dropped.clients_dropped;
    session.send(
        error_line({}, {.code = protocol::ErrorCode::invalid_request,
                        .message = "the request line is longer than 1 MiB; the connection is closed"}));
}

void ControlServer::request(Session& session, std::string_view line) {
    auto parsed = protocol::parse_request(line);
    if (!parsed) return session.send(error_line(parsed.error().id, parsed.error().error));
    const protocol::Request& request = parsed.value();
    const auto refuse = [&](const protocol::RpcError& error) {
        if (request.id) session.send(error_line(*request.id, error));
    };

    // Whoever may not look at all learns nothing, not even which methods there are.
    if (!world_.access.highest(session.peer())) {
        const protocol::MethodInfo* named = protocol::find_method(request.method);
        say_denied(session, named != nullptr ? *named : protocol::info(protocol::Method::daemon_hello));
        return refuse(
            {.code = protocol::ErrorCode::denied, .message = "you may not use this control socket"});
    }
    const auto method = protocol::resolve(request);
    if (!method) return refuse(method.error());
    if (!world_.access.permits(session.peer(), (*method)->right)) {
        say_denied(session, **method);
        return refuse({.code = protocol::ErrorCode::denied,
                       .message = std::string((*method)->name) +
                                  " is not permitted to you: it needs the right to " +
                                  std::string(protocol::to_string((*method)->right))});
    }
    auto params = protocol::decode(**method, request.params());
    if (!params) return refuse(params.error());
    Call call{.session = session, .id = request.id, .method = **method};
    methods_.run(call, std::move(params).value());
    arm_timer();
}

void ControlServer::say_denied(Session& session, const protocol::MethodInfo& method) {
    ++world_.dropped.requests_denied;
    // Once a connection: whoever asks a hundred thousand times a second fills no disk with it.
    if (std::exchange(session.denial_told, true)) return;
    const os::Peer& peer = session.peer();
    world_.log->warn("denied {} to uid {}, pid {} ({})", method.name, peer.uid, peer.pid,
                     os::command_name(peer.pid));
}

void ControlServer::changed(const core::effect::Announce& change) {
    methods_.changed(change);
    ++last_event_;
    try {
        const os::spare_memory::Untouched untouched;
        tell_listeners(change);
    } catch (const std::bad_alloc&) {
        // They would go on with an event missing.
        for (auto at = sessions_.begin(); at != sessions_.end();) {
            Session& session = *(at++)->second;
            if (session.subscribed) session.drop_without_memory();
        }
    }
}

void ControlServer::tell_listeners(const core::effect::Announce& change) {
    std::string line;
    std::vector<Session*> listeners;
    for (const auto& [id, session] : sessions_)
        if (session->subscribed && session->subscription.hears(change.name))
            listeners.push_back(session.get());
    if (listeners.empty()) return;
    auto message = protocol::Message::notification(line, protocol::kEventMethod);
    protocol::write_task_event(message.body(), change, last_event_, std::chrono::system_clock::now());
    message.end();
    for (Session* session : listeners) {
        if (session->send_event(line)) continue;
        ++world_.dropped.clients_dropped;
        world_.log->warn("dropped a control client that did not read its events (uid {}, pid {})",
                         session->peer().uid, session->peer().pid);
    }
}

void ControlServer::finished() {
    watch_.reset();
    methods_.finished();
    for (Session* session : all_sessions()) session->finish();
}

bool ControlServer::drained() const noexcept {
    return sessions_.empty();
}

void ControlServer::count_waiting(protocol::QueueDepths& queues) const {
    queues.orders_waiting = methods_.orders_waiting();
    for (const auto& [id, session] : sessions_) queues.unread_bytes += session->unread();
}

void ControlServer::ensure_in_place() {
    if (listener_.in_place()) return;
    world_.log->warn("the control socket {} was removed; making it anew", listener_.path());
    watch_.reset();
    if (const auto made = listener_.recreate(); !made) world_.log->error("{}", made.error().text());
    if (listener_.fd() < 0) return;
    world_.hold_control(listener_.fd());
    watch_ = std::make_unique<Watch>(world_.loop, listener_.fd(), [this](int) { accept(); });
    watch_->interest(UV_READABLE);
}

void ControlServer::hold(bool held) {
    held_ = held;
    for (Session* session : all_sessions()) session->hold(held);
    if (!held) arm_timer();
}

CarriedClients ControlServer::carry() {
    CarriedClients carried{.events = last_event_, .upgrader_session = std::nullopt, .upgrader_request = {}};
    std::map<SessionId, std::size_t> places;
    std::size_t room = kMostCarried;
    for (Session* session : all_sessions()) {
        const SessionId id = session->id();
        auto one = session->carry(room);
        if (!one) continue;
        room -= one->unsent.size();
        places.emplace(id, carried.sessions.size());
        carried.sessions.push_back(std::move(*one));
    }
    methods_.carry(places, carried);
    return carried;
}

void ControlServer::restore(const CarriedClients& carried, const protocol::UpgradeReport& report) {
    held_ = true;
    last_event_ = carried.events;
    std::vector<SessionId> ids;
    for (const CarriedSession& one : carried.sessions) {
        UniqueFd fd(one.fd);
        auto peer = os::peer_of(fd.get());
        // Nobody is there any more: what he waits for has no reader.
        ids.push_back(SessionId{});
        if (!peer) continue;
        Session& session = add_session(std::move(fd), std::move(peer).value());
        session.restore(one);
        ids.back() = session.id();
    }
    methods_.restore(ids, carried, report);
}

void ControlServer::arm_timer() {
    if (watch_) watch_->interest(UV_READABLE);
    timer_.arm(methods_.next_deadline());
}

}  // namespace vigil::daemon
