/// The script of the demonstration's page: opens the live connections and shows when each died.
///
/// Downloads and uploads wait for a button: a browser opens six connections to a host, and two
/// tabs that used them all up would have none left for the sign-out.
enum DemoScript {
    static let text = """
        'use strict';
        const panels = new Map();
        function show(id, state, text) {
          const item = document.getElementById(id);
          item.className = state;
          item.querySelector('.state').textContent = text;
          if (state) panels.set(id, state);
          const all = [...panels.values()];
          const live = all.filter(one => one === 'live').length;
          const dead = all.filter(one => one === 'dead').length;
          document.getElementById('summary').textContent =
            live + ' live' + (dead ? ', ' + dead + ' dead' : '');
        }
        function died(id, why) {
          if (panels.get(id) !== 'live') return;
          const now = Date.now();
          const asked = Number(localStorage.getItem('signed-out'));
          const after = asked && now - asked < 60000
            ? ', ' + (now - asked) + ' ms after the click on “Sign out”' : '';
          const time = new Date(now);
          const clock = time.toLocaleTimeString('en-GB') + '.'
            + String(time.getMilliseconds()).padStart(3, '0');
          show(id, 'dead', 'died at ' + clock + after + (why ? ' (' + why + ')' : ''));
        }
        const mega = count => (count / 1e6).toFixed(1) + ' MB';

        document.getElementById('out').addEventListener('click', () => {
          localStorage.setItem('signed-out', String(Date.now()));
        });

        const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/echo');
        let echoes = 0;
        socket.onopen = () => {
          show('socket', 'live', 'open');
          const timer = setInterval(() => {
            if (socket.readyState !== WebSocket.OPEN) return clearInterval(timer);
            socket.send(String(performance.now()));
          }, 1000);
        };
        socket.onmessage = message => {
          echoes += 1;
          const trip = performance.now() - Number(message.data);
          show('socket', 'live', echoes + ' echoes, the last after ' + trip.toFixed(1) + ' ms');
        };
        socket.onclose = end =>
          died('socket', 'code ' + end.code + (end.reason ? ', “' + end.reason + '”' : ''));

        const events = new EventSource('/events');
        events.onopen = () => show('events', 'live', 'open');
        events.onmessage = event =>
          show('events', 'live', event.data.split(' ')[0] + ' events');
        events.onerror = () => { events.close(); died('events', 'cut'); };

        function button(id, start) {
          const button = document.querySelector('#' + id + ' button');
          button.hidden = false;
          button.addEventListener('click', () => { button.hidden = true; start(); });
        }
        button('download', async () => {
          let count = 0;
          show('download', 'live', 'started');
          try {
            const answer = await fetch('/download?bytes=1000000000&rate=200000');
            const reader = answer.body.getReader();
            for (;;) {
              const {done, value} = await reader.read();
              if (done) break;
              count += value.length;
              show('download', 'live', mega(count) + ' received');
            }
            show('download', '', mega(count) + ' received, complete');
          } catch { died('download', 'cut after ' + mega(count)); }
        });
        button('upload', () => {
          let count = 0;
          const request = new XMLHttpRequest();
          request.open('POST', '/upload?rate=200000');
          request.upload.onprogress = event => {
            count = event.loaded;
            show('upload', 'live', mega(count) + ' sent');
          };
          request.onload = () => request.status === 200
            ? show('upload', '', mega(count) + ' sent, complete')
            : died('upload', 'answered ' + request.status + ' after ' + mega(count));
          request.onerror = () => died('upload', 'cut after ' + mega(count));
          show('upload', 'live', 'started');
          request.send(new Blob([new Uint8Array(100000000)]));
        });
        """
}
