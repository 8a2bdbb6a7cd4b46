// A small picture of what is around a region at a frame, as the copy will show it.
import { useEffect, useRef } from "preact/hooks";
import type { Region } from "./api";
import { api, pictured, version } from "./state";

const PATIENCE = 180; // milliseconds: not while rows fly by, a picture is asked for when its row has stayed in view

export function Thumb({ region, at }: { region: Region; at: number }) {
  const picture = useRef<HTMLImageElement>(null);
  const ready = pictured.value;
  useEffect(() => {
    if (!ready) return;
    let wait = 0;
    const watch = new IntersectionObserver(([seen]) => {
      clearTimeout(wait);
      if (!seen?.isIntersecting) return;
      wait = setTimeout(() => {
        watch.disconnect();
        if (picture.current) picture.current.src = api(`/thumbs/${region.id}/${at}?width=72&plan=${version.peek()}`);
      }, PATIENCE) as unknown as number;
    });
    watch.observe(picture.current!);
    return () => {
      clearTimeout(wait);
      watch.disconnect();
    };
  }, [region, at, ready]);
  return <img class="thumb" ref={picture} alt="" width="36" height="27" />;
}
