// A worker in C++, supervised through libvigil: one thread works, main() waits for the signal to end.
//
//     find_package(vigil REQUIRED)
//     target_link_libraries(worker PRIVATE vigil::vigil)
#include <vigil.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>

namespace {

// The supervisor as this worker sees it. A message that cannot be delivered is no reason to stop working, so
// the results of the calls are dropped; libvigil tries again with the next one.
class Supervisor {
  public:
    Supervisor() {
        vigil_handle* handle = nullptr;
        if (const int error = vigil_open(&handle); error < 0)
            throw std::system_error(-error, std::generic_category(), "vigil_open");
        handle_.reset(handle);
    }

    void ready() { vigil_ready(handle_.get()); }
    void beat() { vigil_beat(handle_.get()); }
    void stopping() { vigil_stopping(handle_.get()); }
    void status(const std::string& text) { vigil_status(handle_.get(), "%s", text.c_str()); }

    // How often a beat is wanted; `otherwise` if nobody waits for beats.
    std::chrono::microseconds interval(std::chrono::microseconds otherwise) const {
        const auto wanted = vigil_interval(handle_.get());
        return wanted == 0 ? otherwise : std::chrono::microseconds(static_cast<std::int64_t>(wanted));
    }

  private:
    struct Close {
        void operator()(vigil_handle* handle) const { vigil_close(handle); }
    };
    std::unique_ptr<vigil_handle, Close> handle_;
};

bool is_prime(unsigned long number) {
    for (unsigned long divisor = 2; divisor * divisor <= number; ++divisor)
        if (number % divisor == 0) return false;
    return number > 1;
}

// Finds primes until asked to stop. The beat is sent by the thread that works: one sent by main() would tell
// of a process, not of progress.
void find_primes(const std::stop_token& stop, Supervisor& supervisor) {
    using namespace std::chrono_literals;
    const auto pause = supervisor.interval(1s);
    std::cout << "c++: started, a prime number every " << std::chrono::duration<double>(pause).count()
              << " s\n"
              << std::flush;
    std::mutex mutex;
    std::condition_variable_any wake;
    unsigned long found = 0;
    for (unsigned long number = 2; !stop.stop_requested(); ++number) {
        if (!is_prime(number)) continue;
        const std::string prime = std::to_string(++found) + " is " + std::to_string(number);
        if (found % 10 == 0) std::cout << "c++: prime number " + prime + '\n' << std::flush;
        supervisor.status("prime number " + prime);
        supervisor.beat();
        std::unique_lock lock(mutex);
        wake.wait_for(lock, stop, pause, [] { return false; });
    }
}

}  // namespace

int main() try {
    // Blocked before the first thread starts, so that every thread inherits it and only sigwait receives.
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    pthread_sigmask(SIG_BLOCK, &end, nullptr);

    Supervisor supervisor;
    supervisor.ready();
    std::jthread work(find_primes, std::ref(supervisor));

    int signal = 0;
    sigwait(&end, &signal);
    supervisor.stopping();
    work.request_stop();
    work.join();
    std::cout << "c++: asked to end\n";
    return 0;
} catch (const std::exception& error) {
    std::cerr << "c++: " << error.what() << '\n';
    return 1;
}
