"use strict";
// Atoms as shaded discs from back to front, turned by hand.

function decoded(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

class AtomsView {
  constructor(canvas, turning) {
    this.canvas = canvas;
    this.turning = turning;
    this.azimuth = 0.5;
    this.tilt = 0.12;
    this.zoom = 1;
    this.count = 0;
    this.colours = {};
    this.sprites = new Map();
    this.note = ["", ""];
    this.last = 0;
    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      held = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      this.azimuth += (event.clientX - held[0]) * 0.01;
      this.tilt = Math.min(1.5, Math.max(-1.5, this.tilt + (event.clientY - held[1]) * 0.01));
      held = [event.clientX, event.clientY];
      this.stale = true;
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => { held = null; });
    }
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom = Math.min(6, Math.max(0.5, this.zoom * Math.exp(-event.deltaY * 0.001)));
      this.stale = true;
    }, { passive: false });
    window.addEventListener("resize", () => { this.stale = true; });
    const frame = (now) => {
      if (this.turning.checked) {
        this.azimuth += Math.min(now - this.last, 100) * 0.0002;
        this.stale = true;
      }
      this.last = now;
      if (this.stale) this.draw();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** Take the atoms of a moment. */
  show(scene) {
    const raw = decoded(scene.positions);
    const steps = new DataView(raw.buffer);
    this.kinds = decoded(scene.kinds);
    this.count = this.kinds.length;
    this.places = new Float32Array(3 * this.count);
    for (let i = 0; i < 3 * this.count; i++) this.places[i] = steps.getInt16(2 * i, true) * scene.unit;
    if (!this.extent) {
      this.extent = [0, 0, 0];
      for (let i = 0; i < 3 * this.count; i++) {
        this.extent[i % 3] = Math.max(this.extent[i % 3], Math.abs(this.places[i]));
      }
    }
    this.radius = scene.radius;
    this.stale = true;
  }

  /** A shaded disc of a kind of atom at a depth, from 0 (near) to 7. */
  sprite(kind, depth, size) {
    const key = kind + "," + depth + "," + size;
    if (this.sprites.has(key)) return this.sprites.get(key);
    if (this.sprites.size > 400) this.sprites.clear();
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const pen = tile.getContext("2d"), r = size / 2;
    const base = this.colours[kind] || "#888888";
    const parts = [1, 3, 5].map((at) => parseInt(base.slice(at, at + 2), 16));
    const mix = (share, to) => "rgb(" + parts.map((part) => {
      const lit = part + (to - part) * share;
      return Math.round(lit + (255 - lit) * depth * 0.075);
    }).join(",") + ")";
    const shade = pen.createRadialGradient(0.72 * r, 0.62 * r, 0.1 * r, r, r, r);
    shade.addColorStop(0, mix(0.5, 255));
    shade.addColorStop(0.55, mix(0, 0));
    shade.addColorStop(1, mix(0.4, 0));
    pen.fillStyle = shade;
    pen.beginPath();
    pen.arc(r, r, r - 0.5, 0, 7);
    pen.fill();
    this.sprites.set(key, tile);
    return tile;
  }

  draw() {
    this.stale = false;
    const { canvas, count } = this, sharp = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * sharp), height = Math.round(canvas.clientHeight * sharp);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    if (!count) return;
    const [ca, sa, ct, st] = [Math.cos(this.azimuth), Math.sin(this.azimuth), Math.cos(this.tilt), Math.sin(this.tilt)];
    const aside = Math.hypot(this.extent[0], this.extent[1]);
    const scale = this.zoom * Math.min(0.48 * width / aside,
      0.48 * height / (Math.abs(ct) * this.extent[2] + 0.8 * Math.abs(st) * aside + this.radius));
    const across = new Float32Array(count), up = new Float32Array(count), depth = new Float32Array(count);
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const x = this.places[3 * i], y = this.places[3 * i + 1], z = this.places[3 * i + 2];
      const along = -x * sa + y * ca;
      across[i] = x * ca + y * sa;
      up[i] = z * ct - along * st;
      depth[i] = along * ct + z * st;
      order[i] = i;
    }
    order.sort((a, b) => depth[b] - depth[a]);
    for (const i of order) {
      const ion = this.kinds[i] === 3;
      const size = Math.max(2, Math.round(2 * this.radius * scale * (ion ? 0.6 : 1)));
      const far = Math.min(7, Math.max(0, Math.floor((depth[i] / aside + 1) * 4)));
      pen.drawImage(this.sprite(this.kinds[i], far, size), width / 2 + across[i] * scale - size / 2,
        height / 2 - up[i] * scale - size / 2);
    }
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.font = "12px system-ui, 'DejaVu Sans', Arial, sans-serif";
    pen.fillStyle = "#1f2933";
    pen.textAlign = "left";
    pen.lineWidth = 3;
    pen.strokeStyle = "#ffffff";
    for (const [text, y] of [[this.note[0], 12], [this.note[1], height / sharp - 4]]) {
      pen.strokeText(text, 2, y);
      pen.fillText(text, 2, y);
    }
    const bar = 10 * scale / sharp, right = width / sharp - 8, low = height / sharp - 8;
    pen.strokeStyle = "#1f2933";
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(right - bar, low);
    pen.lineTo(right, low);
    pen.stroke();
    pen.textAlign = "right";
    pen.fillText("1 nm", right, low - 5);
    pen.setTransform(1, 0, 0, 1, 0, 0);
  }
}
