"use strict";
// Curves on a canvas: axes with round ticks, labels, and what is drawn within them.

/** Round numbers between two ends, at most so many. */
function ticks(low, high, most) {
  const rough = (high - low) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i <= high / step + 1e-9; i++) found.push(i * step);
  return { step, values: found };
}

function written(value, step) {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return (Math.abs(value) < step / 2 ? 0 : value).toFixed(Math.min(digits, 6)).replace("-", "−");
}

class Plot {
  constructor(canvas, labels) {
    this.canvas = canvas;
    this.labels = labels;
  }

  /** Clear the canvas and draw the axes; `span` is {x: [low, high], y: [low, high]}. */
  begin(span, more = {}) {
    const { canvas } = this, sharp = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * sharp) || canvas.height !== Math.round(height * sharp)) {
      canvas.width = Math.round(width * sharp);
      canvas.height = Math.round(height * sharp);
    }
    const pen = this.pen = canvas.getContext("2d");
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.box = { left: 54, right: width - 12, top: 8, bottom: height - 36 };
    this.span = span;
    pen.font = "12px system-ui, 'DejaVu Sans', Arial, sans-serif";
    this.axis(more.whole);
    pen.save();
    pen.beginPath();
    pen.rect(this.box.left, this.box.top, this.box.right - this.box.left, this.box.bottom - this.box.top);
    pen.clip();
  }

  end() {
    this.pen.restore();
    const { left, right, top, bottom } = this.box;
    this.pen.strokeStyle = "#9aa5b1";
    this.pen.lineWidth = 1;
    this.pen.strokeRect(left, top, right - left, bottom - top);
  }

  x(value) {
    const [low, high] = this.span.x;
    return this.box.left + (value - low) / (high - low) * (this.box.right - this.box.left);
  }

  y(value) {
    const [low, high] = this.span.y;
    return this.box.bottom - (value - low) / (high - low) * (this.box.bottom - this.box.top);
  }

  axis(whole) {
    const { pen, box } = this;
    const across = ticks(...this.span.x, Math.floor((box.right - box.left) / 70));
    const up = ticks(...this.span.y, Math.floor((box.bottom - box.top) / 34));
    if (whole && up.step < 1) {
      up.values = ticks(this.span.y[0], this.span.y[1], 4).values;
    }
    pen.lineWidth = 1;
    pen.fillStyle = "#52606d";
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const value of across.values) {
      this.line(this.x(value), box.top, this.x(value), box.bottom, "#edf1f5");
      pen.fillText(written(value, across.step), this.x(value), box.bottom + 5);
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const value of up.values) {
      if (!whole) this.line(box.left, this.y(value), box.right, this.y(value), "#edf1f5");
      pen.fillText(written(value, up.step), box.left - 6, this.y(value));
    }
    if (whole) {
      const step = Math.max(1, Math.ceil((this.span.y[1] - this.span.y[0]) / 12));
      pen.setLineDash([4, 4]);
      for (let n = step; n < this.span.y[1]; n += step) {
        this.line(box.left, this.y(n), box.right, this.y(n), "#b6c2cd");
      }
      pen.setLineDash([]);
    }
    for (const [at, draw] of [[0, (v) => [this.x(v), box.top, this.x(v), box.bottom]],
      [1, (v) => [box.left, this.y(v), box.right, this.y(v)]]]) {
      const [low, high] = at ? this.span.y : this.span.x;
      if (low < 0 && high > 0) this.line(...draw(0), "#9aa5b1");
    }
    pen.fillStyle = "#1f2933";
    pen.textAlign = "center";
    pen.textBaseline = "bottom";
    pen.fillText(this.labels.x, (box.left + box.right) / 2, this.canvas.clientHeight - 2);
    pen.save();
    pen.translate(12, (box.top + box.bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textBaseline = "middle";
    pen.fillText(this.labels.y, 0, 0);
    pen.restore();
  }

  line(x0, y0, x1, y1, colour) {
    const { pen } = this;
    pen.strokeStyle = colour;
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.stroke();
  }

  /** A curve through values from one index on; of many in a pixel, lowest and highest. */
  curve(xs, ys, first, colour) {
    const { pen } = this;
    pen.strokeStyle = colour;
    pen.lineWidth = 1.4;
    pen.lineJoin = "round";
    pen.beginPath();
    while (ys.length && ys[ys.length - 1] === null) ys = ys.slice(0, -1);
    let column = NaN, low = 0, high = 0, last = 0;
    for (let i = first; i < ys.length; i++) {
      if (ys[i] === null || xs[i] === null) continue;
      const x = this.x(xs[i]), y = this.y(ys[i]);
      if (Math.floor(x) === column) {
        low = Math.max(low, y);
        high = Math.min(high, y);
        last = y;
        if (i < ys.length - 1) continue;
      }
      if (!Number.isNaN(column)) {
        pen.lineTo(column + 0.5, high);
        pen.lineTo(column + 0.5, low);
        pen.lineTo(column + 0.5, last);
      }
      column = Math.floor(x);
      low = high = last = y;
      pen.lineTo(x, y);
    }
    pen.stroke();
  }

  dot(x, y, radius, colour) {
    const { pen } = this;
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(this.x(x), this.y(y), radius, 0, 7);
    pen.fill();
  }

  ring(x, y) {
    const { pen } = this;
    pen.strokeStyle = "#1f2933";
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.arc(this.x(x), this.y(y), 5.5, 0, 7);
    pen.stroke();
  }

  words(text) {
    const { pen, box } = this;
    pen.fillStyle = "#7b8794";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(text, (box.left + box.right) / 2, (box.top + box.bottom) / 2);
  }
}
